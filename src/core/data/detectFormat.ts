import { UserError } from '../errors.js';
import { rowFormats, type Row } from './formats/format.js';
import { jsonItems } from './jsonItems.js';
import type { DataFile, DataPlace } from './source.js';

export type FormatName = 'alpaca' | 'chat' | 'text' | 'code' | 'tokens';

const rowFile = /\.(jsonl|ndjson|json)$/i;
const proseFile = /\.(txt|text|md|markdown|rst)$/i;

/** Whether the files of a folder are data, prose, or else a program with its data and prose. */
export function detectFormat(place: DataPlace): FormatName {
  if (place.kind === 'file') return detectFileFormat(place.file);
  const all = (pattern: RegExp) => place.files.every(({ path }) => pattern.test(path));
  if (place.files.length > 0 && all(rowFile)) return detectFileFormat(place.files[0]!);
  return all(proseFile) ? 'text' : 'code';
}

/** JSON and JSONL by the fields of the first row that can be read, everything else by its name. */
export function detectFileFormat(file: DataFile): FormatName {
  if (!isRowFile(file)) return proseFile.test(file.path) ? 'text' : 'code';
  let looked = 0;
  for (const item of jsonItems(file)) {
    if ('value' in item && isRow(item.value)) return formatOfRow(item.value, `${file.path}:${item.line}`);
    if (++looked === rowsToLookAt) break;
  }
  throw new UserError(
    'data-invalid',
    `${file.path} has no JSON object to tell its format by. Training data is a JSON list of objects, or JSONL: one object a line.`,
  );
}

export function isRowFile(file: DataFile): boolean {
  return rowFile.test(file.path);
}

/** The files of a place that a format reads: a folder of data may hold a README too. */
export function filesOfFormat(place: DataPlace, format: FormatName): readonly DataFile[] {
  if (place.kind === 'file') return [place.file];
  if (format === 'code') return place.files;
  return place.files.filter((file) => isRowFile(file) || (format === 'text' && proseFile.test(file.path)));
}

const rowsToLookAt = 100;

function isRow(value: unknown): value is Row {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function formatOfRow(row: Row, origin: string): FormatName {
  const format = rowFormats.find((each) => each.recognises(row));
  if (format) return format.name;
  const fields = Object.keys(row).slice(0, 10).join(', ') || 'none';
  const known = 'instruction and output (alpaca), messages or conversations (chat), text, or input_ids (tokens)';
  throw new UserError(
    'data-invalid',
    `${origin} is of no known format. Its fields are ${fields}; expected are ${known}.`,
  );
}
