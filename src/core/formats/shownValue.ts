import { t } from '../../l10n/text.js';

/** Formats a value from an untrusted file, always short enough for an error message. */
export function shownValue(value: unknown): string {
  if (value === undefined) return t`missing`;
  if (Array.isArray(value)) return t`a list`;
  if (typeof value === 'object' && value !== null) return t`an object`;
  return shortened(typeof value === 'string' ? JSON.stringify(value) : String(value));
}

export function shortened(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)}…`;
}
