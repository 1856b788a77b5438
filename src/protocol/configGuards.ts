/** @file Run-time checks for run configs and for the results of checking them. */
import type { ConfigCheck, MemoryRemedy, ModelShape, RunEstimate } from './backend.js';
import type { RunConfig } from './runConfig.js';
import { runConfigSchema, type SettingSchema } from './runConfigSchema.js';
import {
  anything,
  boolean,
  count,
  either,
  list,
  nullable,
  number,
  object,
  oneOf,
  recordOf,
  string,
  type Guard,
} from './guard.js';
import type { ConfigProblem } from './validateRunConfig.js';

const guardOfType: Readonly<Record<string, Guard<unknown>>> = {
  string,
  boolean,
  number,
  integer: number,
  null: (value): value is null => value === null,
};

/** A config with all defaults filled in. Ranges and lengths are checked by validateRunConfig.ts. */
export const runConfig = guardOf(runConfigSchema) as Guard<RunConfig>;

function guardOf(schema: SettingSchema): Guard<unknown> {
  if (schema.properties) {
    const settings = Object.entries(schema.properties).filter(([key]) => key !== '$schema');
    const guards = settings.map(([key, setting]) => [key, guardOf(setting)] as const);
    return object(Object.fromEntries(guards));
  }
  if (schema.enum) return oneOf(...schema.enum);
  const types = [schema.type ?? []].flat();
  return either(...types.map((type) => (type === 'array' ? list(guardOf(schema.items ?? {})) : (guardOfType[type] ?? anything))));
}

const remedy: Guard<MemoryRemedy> = object({
  changes: list(object<MemoryRemedy['changes'][number]>({ setting: string, from: string, to: string })),
  peakMemoryBytes: number,
});
const estimate: Guard<RunEstimate> = object({
  peakMemoryBytes: number,
  deviceMemoryBytes: number,
  availableMemoryBytes: number,
  remedies: list(remedy),
  secondsPerStep: nullable(number),
});
const problem: Guard<ConfigProblem> = object({ path: list(string), message: string });
export const configCheck: Guard<ConfigCheck> = either(
  object<Extract<ConfigCheck, { ok: true }>>({
    ok: oneOf(true),
    config: runConfig,
    estimate,
  }),
  object<Extract<ConfigCheck, { ok: false }>>({ ok: oneOf(false), problems: list(problem) }),
);
const pair: Guard<readonly [number, number]> = (value): value is readonly [number, number] =>
  list(count)(value) && value.length === 2;
export const modelShape: Guard<ModelShape> = object({
  model: string,
  layerCount: count,
  totalParameters: count,
  linears: recordOf(pair),
});
