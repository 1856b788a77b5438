import { UserError } from '../core/errors.js';
import { decodeJsonText, parseForeignJson } from '../core/formats/json.js';
import { t } from '../l10n/text.js';
import { readSmallFile } from './fileSource.js';

/** Limits that no model config or index comes near. */
const largestJson = 16 * 2 ** 20;
const maxParts = 1_000_000;

/** Reads a small JSON file. Throws UserError naming it if it is missing, damaged or over the limits. */
export function readJsonFile(path: string): unknown {
  const refuse = (defect: string, cause?: unknown) => new UserError('file-corrupt', t`${path} ${defect}.`, { cause });
  return parseForeignJson(decodeJsonText(readSmallFile(path, largestJson), refuse), maxParts, refuse);
}
