import type { RunConfig } from '../../src/protocol/runConfig.js';
import { settingSchema } from '../../src/protocol/runConfigSchema.js';
import type { ConfigEdit } from '../../src/protocol/views/fineTune.js';
import { allSettingPaths, valueAt } from '../shared/settings.js';

/** The edits that turn any config into that of a run; settings at their default are left out of the text. */
export function editsToRun(config: RunConfig): ConfigEdit[] {
  return allSettingPaths().map((path) => {
    const value = valueAt(config, path);
    return JSON.stringify(value) === JSON.stringify(settingSchema(path)?.default) ? { path } : { path, value };
  });
}
