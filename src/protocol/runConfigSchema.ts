import schema from './runConfig.schema.json';

/** The parts of a setting's schema that forms, messages and `--help` need (JSON Schema, draft-07). */
export interface SettingSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly string[];
  readonly items?: SettingSchema;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly minLength?: number;
  readonly minItems?: number;
  readonly uniqueItems?: boolean;
  /** Names of the same setting in other programs; used to suggest ours. */
  readonly aliases?: readonly string[];
  readonly properties?: Readonly<Record<string, SettingSchema>>;
}

export const runConfigSchema: SettingSchema = schema;

/** Default of data.max_seq_length, in tokens. */
export const usualSequenceLength = schema.properties.data.properties.max_seq_length.default;

/** The schema at a path such as ['train', 'learning_rate']. */
export function settingSchema(path: readonly string[]): SettingSchema | undefined {
  let found: SettingSchema | undefined = runConfigSchema;
  for (const key of path) found = found?.properties && Object.hasOwn(found.properties, key) ? found.properties[key] : undefined;
  return found;
}
