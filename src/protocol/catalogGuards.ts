/** @file Run-time checks for models and adapters. */
import { modelSources, type AdapterInfo, type AdapterRun, type ModelInfo } from './backend.js';
import { count, list, nullable, number, object, oneOf, string, type Guard } from './guard.js';

export const modelInfo: Guard<ModelInfo> = object({
  path: string,
  name: string,
  kind: oneOf('huggingface', 'meta', 'gguf'),
  source: oneOf(...modelSources),
  sizeBytes: number,
});
export const adapterInfo: Guard<AdapterInfo> = object({
  path: string,
  name: string,
  baseModel: string,
  rank: count,
  alpha: number,
  targetModules: list(string),
  sizeBytes: number,
  modifiedAt: number,
  run: nullable(object<AdapterRun>({ dataPath: string, heldOutLoss: nullable(number) })),
});
