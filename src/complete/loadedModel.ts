import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { modelPath } from '../files/cacheFolder.js';
import { openModel, type OpenModel } from '../files/openModel.js';
import { readTokenizer } from '../files/tokenizerFiles.js';

export interface LoadedModel extends OpenModel {
  readonly tokens: Tokenizer;
}

/** A model by path or name, with its tokenizer. */
export function loadModel(pathOrName: string): LoadedModel {
  const model = openModel(modelPath(pathOrName));
  return { ...model, tokens: readTokenizer(model.tokenizer) };
}
