import type { SettingSchema } from '../../src/protocol/runConfigSchema.js';
import { formatNumber, t } from './text.js';

/**
 * What is wrong with a value according to its schema, worded to go under a field; null if nothing is. Covers only the keywords
 * that our schema uses: general validators compile code, which the Content-Security-Policy of a webview forbids.
 */
export function settingProblem(schema: SettingSchema, value: unknown): string | null {
  if (value === undefined) return t('problem.missing');
  return typeProblem(schema, value) ?? enumProblem(schema, value) ?? rangeProblem(schema, value) ?? sizeProblem(schema, value);
}

function typeProblem({ type }: SettingSchema, value: unknown): string | null {
  if (type === undefined) return null;
  const types = [type].flat();
  if (types.some((name) => hasType(name, value))) return null;
  if (value === null || value === '') return t('problem.missing');
  if (types.includes('integer')) return t('problem.integer');
  if (types.includes('number')) return t('problem.number');
  return t('problem.type');
}

function hasType(name: string, value: unknown): boolean {
  switch (name) {
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    default:
      return typeof value === name;
  }
}

function enumProblem({ enum: allowed }: SettingSchema, value: unknown): string | null {
  return allowed === undefined || allowed.includes(value as string) ? null : t('problem.choice', allowed.join(', '));
}

function rangeProblem({ minimum, maximum, exclusiveMinimum, exclusiveMaximum }: SettingSchema, value: unknown): string | null {
  if (typeof value !== 'number') return null;
  if (minimum !== undefined && value < minimum) return t('problem.atLeast', formatNumber(minimum));
  if (maximum !== undefined && value > maximum) return t('problem.atMost', formatNumber(maximum));
  if (exclusiveMinimum !== undefined && value <= exclusiveMinimum) return t('problem.moreThan', formatNumber(exclusiveMinimum));
  if (exclusiveMaximum !== undefined && value >= exclusiveMaximum) return t('problem.lessThan', formatNumber(exclusiveMaximum));
  return null;
}

function sizeProblem({ minLength = 0, minItems = 0, uniqueItems, items }: SettingSchema, value: unknown): string | null {
  // JSON Schema counts characters, not UTF-16 units; for "at least one" they agree.
  if (typeof value === 'string') return value.length < minLength ? t('problem.missing') : null;
  if (!Array.isArray(value)) return null;
  if (value.length < minItems) return t('problem.chooseOne');
  if (uniqueItems && new Set(value).size < value.length) return t('problem.twice');
  const defects = items ? value.map((item) => settingProblem(items, item)) : [];
  return defects.find((defect) => defect !== null) ?? null;
}
