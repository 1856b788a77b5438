import type { DataConfig, RunConfig } from '../protocol/runConfig.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';

/** A run config with every setting left as it is, except those of the data that are given. */
export function usualConfig(model: string, data: Partial<DataConfig>): RunConfig {
  const result = validateRunConfig({ model, data: { path: 'data', ...data } });
  if (!result.ok) throw new Error('internal: the usual settings are invalid');
  return result.config;
}
