import { runConfigSchema } from '../../src/protocol/runConfigSchema.js';
import { isRecord } from '../../src/protocol/guard.js';

/** Every setting of the schema, in schema order. */
export function allSettingPaths(): (readonly string[])[] {
  return Object.entries(runConfigSchema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, schema]) => (schema.properties ? Object.keys(schema.properties).map((inner) => [key, inner]) : [[key]]));
}

/** Undefined if the config leaves the setting out. */
export function valueAt(config: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((found, key) => (isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined), config);
}
