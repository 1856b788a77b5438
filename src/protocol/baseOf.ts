import type { AdapterInfo, ModelInfo } from './backend.js';
import { modelName } from './modelName.js';

/** The model that an adapter was made for, found by path or else by name. */
export function baseOf({ baseModel }: AdapterInfo, models: readonly ModelInfo[]): ModelInfo | undefined {
  const name = modelName(baseModel);
  return (
    models.find((model) => model.path === baseModel) ??
    models.find((model) => modelName(model.path) === name || model.name === name)
  );
}

/** The adapters that may fit a model, newest first: made for it, or for a model that is not listed here. */
export function adaptersFor(
  model: string,
  adapters: readonly AdapterInfo[],
  models: readonly ModelInfo[],
): readonly AdapterInfo[] {
  return newestAdaptersFirst(adapters.filter((adapter) => (baseOf(adapter, models)?.path ?? model) === model));
}

export function newestAdaptersFirst(adapters: readonly AdapterInfo[]): readonly AdapterInfo[] {
  return adapters.toSorted((a, b) => b.modifiedAt - a.modifiedAt);
}
