import { UserError } from '../core/errors.js';
import { idsOnly } from '../core/tokenizer/idsOnly.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { modelPath } from './cacheFolder.js';
import { openModel, type OpenModel } from './openModel.js';
import { readTokenizer } from './tokenizerFiles.js';

export interface LoadedModel extends OpenModel {
  readonly tokenizer: Tokenizer;
  /** Why the tokenizer knows only ids; null if it knows text. */
  readonly textProblem: UserError | null;
}

/** Loads a model by path or name, with its tokenizer. The caller closes its weights. */
export function loadModel(pathOrName: string): LoadedModel {
  const model = loadModelForData(pathOrName);
  if (model.textProblem === null) return model;
  model.weights.close();
  throw model.textProblem;
}

/** Like loadModel, for a model that may get its data as ids: without a tokenizer, only what needs text fails. */
export function loadModelForData(pathOrName: string): LoadedModel {
  const model = openModel(modelPath(pathOrName));
  try {
    return { ...model, tokenizer: readTokenizer(model.tokenizerSource), textProblem: null };
  } catch (error) {
    if (error instanceof UserError)
      return { ...model, tokenizer: idsOnly(model.weights.config.vocabSize, error), textProblem: error };
    model.weights.close();
    throw error;
  }
}
