import { t } from '../../../l10n/text.js';
import { Unusable } from '../source.js';
import type { Row } from './format.js';

/** The text in a field of a row. Throws Unusable if there is none. */
export function textField(row: Row, name: string, mayBeEmpty = false): string {
  const value = row[name] ?? (mayBeEmpty ? '' : undefined);
  if (value === undefined) throw new Unusable(t`"${name}" is missing`);
  if (typeof value !== 'string') throw new Unusable(t`"${name}" is not a text`);
  if (value === '' && !mayBeEmpty) throw new Unusable(t`"${name}" is empty`);
  return value;
}
