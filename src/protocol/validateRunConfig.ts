// Uses ajv, which compiles with `new Function`: for Node processes only, not for webviews under a Content-Security-Policy.
import { Ajv, type ErrorObject } from 'ajv';
import { distance } from 'fastest-levenshtein';
import { t, translate } from '../l10n/text.js';
import type { RunConfig } from './runConfig.js';
import { runConfigSchema, settingSchema, type SettingSchema } from './runConfigSchema.js';

/** One problem in a run config. */
export interface ConfigProblem {
  /** Keys and array indices from the root: ['lora', 'target_modules', '0']. */
  readonly path: readonly string[];
  /** One sentence that begins with the setting's name. */
  readonly message: string;
}

export type ConfigResult =
  { readonly ok: true; readonly config: RunConfig } | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

const ajv = new Ajv({ allErrors: true, useDefaults: true, allowUnionTypes: true, verbose: true, messages: false });
ajv.addVocabulary(['aliases']);
const matchesSchema = ajv.compile<RunConfig & { $schema?: string }>(runConfigSchema);

/** Checks parsed JSON against the schema and fills in the defaults. Does not modify the input. */
export function validateRunConfig(json: unknown): ConfigResult {
  const candidate: unknown = JSON.parse(JSON.stringify(json ?? null));
  if (matchesSchema(candidate)) {
    delete candidate.$schema;
    return { ok: true, config: candidate };
  }
  return { ok: false, problems: (matchesSchema.errors ?? []).map(describe) };
}

function describe(error: ErrorObject): ConfigProblem {
  const path = error.instancePath.split('/').slice(1).map(unescapePointer);
  const params = error.params as Record<string, unknown>;
  if (error.keyword === 'additionalProperties') {
    const unknown = [...path, String(params['additionalProperty'])];
    return { path: unknown, message: t`${unknown.join('.')} is not a known setting; ${suggestion(unknown)}` };
  }
  if (error.keyword === 'required') {
    const missing = [...path, String(params['missingProperty'])];
    return {
      path: missing,
      message: t`${missing.join('.')} is missing: ${translate(settingSchema(missing)?.description ?? '')}`.trim(),
    };
  }
  const name = path.join('.') || t`the run config`;
  return { path, message: t`${name} ${expectation(error, params)}, not ${printed(error.data)}` };
}

function expectation(error: ErrorObject, params: Record<string, unknown>): string {
  switch (error.keyword) {
    case 'type':
      return t`must be ${[params['type']]
        .flat()
        .map(typeInWords)
        .reduce((before, type) => t`${before} or ${type}`)}`;
    case 'enum':
      return t`must be one of ${(params['allowedValues'] as unknown[]).join(', ')}`;
    case 'minimum':
      return t`must be at least ${String(params['limit'])}`;
    case 'maximum':
      return t`must be at most ${String(params['limit'])}`;
    case 'exclusiveMinimum':
      return t`must be more than ${String(params['limit'])}`;
    case 'exclusiveMaximum':
      return t`must be less than ${String(params['limit'])}`;
    case 'minLength':
    case 'minItems':
      return t`must not be empty`;
    case 'uniqueItems':
      return t`must not list anything twice`;
    default:
      throw new Error(`internal: no words for the schema keyword ${error.keyword}`);
  }
}

function typeInWords(type: unknown): string {
  switch (type) {
    case 'integer':
      return t`a whole number`;
    case 'boolean':
      return t`true or false`;
    case 'array':
      return t`a list`;
    case 'object':
      return t`an object { … }`;
    case 'null':
      return 'null';
    case 'number':
      return t`a number`;
    case 'string':
      return t`a string`;
    default:
      return String(type);
  }
}

function printed(value: unknown): string {
  const text = JSON.stringify(value) ?? 'undefined';
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

/** The closest setting of the same section by name, title or alias; else the closest anywhere; else the names in the section. */
function suggestion(unknown: readonly string[]): string {
  const section = unknown.slice(0, -1);
  const name = unknown.at(-1)!;
  const siblings = namedSettings(section);
  const nearest = nearestSetting(name, siblings) ?? nearestSetting(name, allSettings());
  if (!nearest) return t`${section.join('.') || 'run.json'} knows ${siblings.map((setting) => setting.path.at(-1)).join(', ')}`;
  const meant = nearest.path.join('.');
  const title = nearest.schema.title ?? '';
  const explains = title !== '' && title.toLowerCase() !== readable(nearest.path.at(-1)!);
  return explains ? t`did you mean ${meant} (${translate(title)})?` : t`did you mean ${meant}?`;
}

interface NamedSetting {
  readonly path: readonly string[];
  readonly schema: SettingSchema;
}

function namedSettings(section: readonly string[]): NamedSetting[] {
  const properties = settingSchema(section)?.properties ?? {};
  return Object.entries(properties)
    .filter(([key]) => key !== '$schema')
    .map(([key, schema]) => ({ path: [...section, key], schema }));
}

function allSettings(): NamedSetting[] {
  const top = namedSettings([]);
  return [...top, ...top.flatMap((setting) => namedSettings(setting.path))];
}

function nearestSetting(name: string, settings: readonly NamedSetting[]): NamedSetting | undefined {
  const wanted = readable(name);
  const ranked = settings
    .map((setting) => ({
      setting,
      edits: Math.min(...namesOf(setting).map((known) => distance(wanted, readable(known)))),
    }))
    .sort((a, b) => a.edits - b.edits);
  const best = ranked[0];
  // If more than half the letters differ, it would be a guess, not a suggestion.
  return best && best.edits <= Math.floor(wanted.length / 2) ? best.setting : undefined;
}

function namesOf({ path, schema }: NamedSetting): string[] {
  return [path.at(-1)!, ...(schema.title ? [schema.title] : []), ...(schema.aliases ?? [])];
}

/** learningRate, learning-rate and learning_rate all become "learning rate". */
function readable(name: string): string {
  return name
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/[_-]/g, ' ')
    .toLowerCase();
}

function unescapePointer(part: string): string {
  return part.replaceAll('~1', '/').replaceAll('~0', '~');
}
