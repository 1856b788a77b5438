import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { modelPath } from './cacheFolder.js';
import { openModel, type OpenModel } from './openModel.js';
import { readTokenizer } from './tokenizerFiles.js';

export interface LoadedModel extends OpenModel {
  readonly tokenizer: Tokenizer;
}

/** A model by path or name, with its tokenizer. Whoever asked for it closes its weights. */
export function loadModel(pathOrName: string): LoadedModel {
  const model = openModel(modelPath(pathOrName));
  try {
    return { ...model, tokenizer: readTokenizer(model.tokenizerSource) };
  } catch (error) {
    model.weights.close();
    throw error;
  }
}
