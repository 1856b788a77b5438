/** @file Which settings a sweep can vary, and how their values are typed and printed. */
import { printNumber } from './printNumber.js';
import { runConfigSchema, settingSchema, type SettingSchema } from './runConfigSchema.js';
import type { SettingValue } from './sweep.js';

/** Those that decide most come first. */
const foremost = [
  'lora.r',
  'train.learning_rate',
  'lora.target_modules',
  'train.num_epochs',
  'lora.dropout',
  'lora.alpha',
] as const;

/** Of the data settings, only these leave the held-out data as it is. */
export const variableDataSettings: readonly string[] = ['data.shuffle', 'data.packing'];
/** The seed also decides what is held out, and there is only one kind of engine. */
const shared: readonly string[] = ['lora.init_from', 'train.seed', 'engine.kind'];

/** The settings that can be varied, such as "lora.r". */
export function variableSettings(): readonly string[] {
  const all = Object.entries(runConfigSchema.properties ?? {}).flatMap(([section, { properties }]) =>
    Object.keys(properties ?? {}).map((key) => `${section}.${key}`),
  );
  return [...new Set([...foremost, ...all])].filter(canVary);
}

function canVary(setting: string): boolean {
  return setting.startsWith('data.') ? variableDataSettings.includes(setting) : !shared.includes(setting);
}

/** Values to begin with, around the present one; empty if nothing sensible is known. */
export function suggestedValues(setting: string, present: unknown): readonly SettingValue[] {
  switch (setting) {
    case 'lora.r':
      return [2, 4, 8, 16, 32];
    case 'train.learning_rate':
      return [1e-4, 3e-4, 1e-3];
    case 'lora.target_modules':
      return [['q_proj', 'v_proj'], ['q_proj', 'k_proj', 'v_proj', 'o_proj'], schemaOf(setting).items!.enum!];
    case 'train.num_epochs':
      return [1, 2, 3];
    case 'lora.dropout':
      return [0, 0.05, 0.1];
    case 'lora.alpha':
      return [8, 16, 32];
  }
  const schema = schemaOf(setting);
  if (schema.enum) return schema.enum;
  if (typeof present === 'boolean') return [false, true];
  if (typeof present !== 'number' || present === 0) return [];
  const half = isWhole(schema) ? Math.max(1, Math.round(present / 2)) : present / 2;
  return [...new Set([half, present, present * 2])];
}

/** The values in "2, 4, 8" or, for settings that are lists themselves, in "q_proj, v_proj; o_proj". What cannot be read stays text. */
export function parseValues(setting: string, text: string): readonly SettingValue[] {
  if (text.trim() === '') return [];
  const schema = schemaOf(setting);
  if (!isList(schema)) return text.split(',').map((part) => parseValue(schema, part));
  return text.split(';').map((part) => part.split(',').map((item) => parseValue(schema.items ?? {}, item) as string | number));
}

export function printValues(setting: string, values: readonly SettingValue[]): string {
  return values.map(printValue).join(isList(schemaOf(setting)) ? '; ' : ', ');
}

function parseValue({ type }: SettingSchema, text: string): SettingValue {
  const word = text.trim();
  const types = [type ?? []].flat();
  if (types.includes('null') && word === 'null') return null;
  if (types.includes('boolean') && (word === 'true' || word === 'false')) return word === 'true';
  const isNumber = types.includes('integer') || types.includes('number');
  return isNumber && word !== '' && Number.isFinite(Number(word)) ? Number(word) : word;
}

function printValue(value: SettingValue): string {
  if (typeof value === 'number') return printNumber(value);
  return Array.isArray(value) ? value.join(', ') : String(value);
}

function schemaOf(setting: string): SettingSchema {
  return settingSchema(setting.split('.'))!;
}

function isWhole({ type }: SettingSchema): boolean {
  return [type ?? []].flat().includes('integer');
}

function isList({ type }: SettingSchema): boolean {
  return [type ?? []].flat().includes('array');
}
