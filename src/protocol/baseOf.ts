import type { AdapterInfo, ModelInfo } from './backend.js';

/** The model that an adapter was made for: by path, else by the last part of its name. */
export function baseOf({ baseModel }: AdapterInfo, models: readonly ModelInfo[]): ModelInfo | undefined {
  const name = lastPart(baseModel);
  return (
    models.find((model) => model.path === baseModel) ??
    models.find((model) => lastPart(model.path) === name || model.name === name)
  );
}

function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
