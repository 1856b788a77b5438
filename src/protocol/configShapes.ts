/** @file Run-time checks of run configs and of what is said about them. */
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
  type Shape,
} from './shape.js';
import type { ConfigProblem } from './validateRunConfig.js';

const shapeOfType: Readonly<Record<string, Shape<unknown>>> = {
  string,
  boolean,
  number,
  integer: number,
  null: (value): value is null => value === null,
};

/** With all defaults filled in. What the schema allows a number or a text to be is the business of validateRunConfig.ts. */
export const runConfig = shapeOf(runConfigSchema) as Shape<RunConfig>;

function shapeOf(schema: SettingSchema): Shape<unknown> {
  if (schema.properties) {
    const settings = Object.entries(schema.properties).filter(([key]) => key !== '$schema');
    const shapes = settings.map(([key, setting]) => [key, shapeOf(setting)] as const);
    return object(Object.fromEntries(shapes));
  }
  if (schema.enum) return oneOf(...schema.enum);
  const types = [schema.type ?? []].flat();
  return either(...types.map((type) => (type === 'array' ? list(shapeOf(schema.items ?? {})) : (shapeOfType[type] ?? anything))));
}

const remedy: Shape<MemoryRemedy> = object({
  changes: list(object<MemoryRemedy['changes'][number]>({ setting: string, from: string, to: string })),
  peakMemoryBytes: number,
});
const estimate: Shape<RunEstimate> = object({
  peakMemoryBytes: number,
  deviceMemoryBytes: number,
  availableMemoryBytes: number,
  remedies: list(remedy),
  secondsPerStep: nullable(number),
});
const problem: Shape<ConfigProblem> = object({ path: list(string), message: string });
export const configCheck: Shape<ConfigCheck> = either(
  object<Extract<ConfigCheck, { ok: true }>>({
    ok: oneOf(true),
    config: runConfig,
    estimate,
  }),
  object<Extract<ConfigCheck, { ok: false }>>({ ok: oneOf(false), problems: list(problem) }),
);
const pair: Shape<readonly [number, number]> = (value): value is readonly [number, number] =>
  list(count)(value) && value.length === 2;
export const modelShape: Shape<ModelShape> = object({
  model: string,
  layerCount: count,
  totalParameters: count,
  linears: recordOf(pair),
});
