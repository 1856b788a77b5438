import { hubModelPath, hubModels } from './hubStore.js';
import { lmStudioModelPath, lmStudioModels } from './lmStudioStore.js';
import { ollamaModelPath, ollamaModels } from './ollamaStore.js';
import type { StoredModel } from './storedModel.js';

/** The models that other programs downloaded. */
export function storedModels(): StoredModel[] {
  return [...hubModels(), ...ollamaModels(), ...lmStudioModels()];
}

/** The path of a model by its name in one of the stores; undefined if several have one so called, or none. */
export function storedModelPath(name: string): string | undefined {
  const found = [hubModelPath(name), ollamaModelPath(name), lmStudioModelPath(name)].filter((path) => path !== undefined);
  return found.length === 1 ? found[0] : undefined;
}
