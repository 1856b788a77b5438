import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { fileName, whyNoSource, type LeftOut } from './fileRules.js';
import { rowFormats, type Row } from './formats/format.js';
import { isRowFile, rowsOf } from './rows/rows.js';
import type { DataFile, DataPlace } from './source.js';

export type FormatName = 'alpaca' | 'prompt-completion' | 'chat' | 'text' | 'code' | 'tokens';

const proseFile = /\.(txt|text|md|markdown|rst)$/i;

/** A folder with any source code in it is treated as code, whatever else it contains; otherwise as data, or else as prose. */
export function detectFormat(place: DataPlace): FormatName {
  if (place.kind === 'file') return detectFileFormat(place.file);
  if (place.files.some(isSource)) return 'code';
  const rows = place.files.find(isRowFile);
  if (rows) return detectFileFormat(rows);
  return place.files.some(isProse) ? 'text' : 'code';
}

/** Detects the format of a file of rows by the fields of the first readable row, of any other file by its name. */
export function detectFileFormat(file: DataFile): FormatName {
  if (!isRowFile(file)) return proseFile.test(file.path) ? 'text' : 'code';
  const problems: string[] = [];
  let looked = 0;
  for (const item of rowsOf(file)) {
    if ('problem' in item) problems.push(t`${file.path}:${item.number}: ${item.problem}.`);
    else if (isRow(item.value)) return formatOfRow(item.value, `${file.path}:${item.number}`);
    if (++looked === rowsToRead) break;
  }
  throw new UserError(
    'data-invalid',
    [
      t`${file.path} has no row from which its format could be recognized. Training data is JSONL (one object per line), a JSON list of objects, CSV with a header, or Parquet.`,
      ...problems.slice(0, 1),
    ].join(' '),
  );
}

function isProse({ path }: DataFile): boolean {
  return proseFile.test(path);
}

function isSource({ path }: DataFile): boolean {
  return whyNoSource(fileName(path)) === undefined;
}

/** Separates the files that a format reads from those it leaves out. A file that was chosen directly is always read. */
export function chooseFiles(place: DataPlace, format: FormatName): { files: readonly DataFile[]; leftOut: readonly LeftOut[] } {
  if (place.kind === 'file') return { files: [place.file], leftOut: [] };
  const files: DataFile[] = [];
  const leftOut = [...place.leftOut];
  for (const file of place.files) {
    const kind = whyNotOfFormat(file, format);
    if (kind) leftOut.push({ path: file.path, kind });
    else files.push(file);
  }
  return { files, leftOut };
}

function whyNotOfFormat(file: DataFile, format: FormatName): LeftOut['kind'] | undefined {
  if (format === 'code') return whyNoSource(fileName(file.path));
  return isRowFile(file) || (format === 'text' && isProse(file)) ? undefined : 'otherFormat';
}

const rowsToRead = 100;

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function formatOfRow(row: Row, origin: string): FormatName {
  const format = rowFormats.find((each) => each.recognises(row));
  if (format) return format.name;
  const fields = Object.keys(row).slice(0, 10).join(', ') || t`none`;
  const known = t`instruction and output (alpaca), prompt and completion, messages or conversations (chat), text, or input_ids (tokens)`;
  throw new UserError('data-invalid', t`${origin} is of no known format. Its fields are ${fields}; expected are ${known}.`);
}
