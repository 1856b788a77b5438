import { runConfigSchema } from '../../src/protocol/runConfigSchema.js';

/** Every setting of the schema, in its order. */
export function allSettingPaths(): (readonly string[])[] {
  return Object.entries(runConfigSchema.properties ?? {})
    .filter(([key]) => key !== '$schema')
    .flatMap(([key, schema]) =>
      schema.properties ? Object.keys(schema.properties).map((inner) => [key, inner]) : [[key]],
    );
}
