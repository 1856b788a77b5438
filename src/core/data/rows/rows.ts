/** @file The rows of a data file, whatever kind of file it is. */
import { t } from '../../../l10n/text.js';
import { Unusable, type DataFile } from '../source.js';
import { csvRows } from './csvRows.js';
import { jsonRows } from './jsonRows.js';
import { parquetRows } from './parquetRows.js';
import type { RowItem } from './rowItem.js';

const readers = [
  { name: /\.(jsonl|ndjson|json)$/i, read: jsonRows },
  { name: /\.(csv|tsv)$/i, read: csvRows },
  { name: /\.parquet$/i, read: parquetRows },
];

export function isRowFile({ path }: DataFile): boolean {
  return readers.some(({ name }) => name.test(path));
}

/**
 * Yields the rows of a file, of which only a few are in memory at a time, unless it is a JSON array. A broken row does not affect
 * the others, and a file that can't be read at all yields a single problem.
 */
export function* rowsOf(file: DataFile): Generator<RowItem> {
  const { read } = readers.find(({ name }) => name.test(file.path)) ?? readers[0]!;
  try {
    yield* read(file);
  } catch (error) {
    if (!(error instanceof Unusable)) throw error;
    yield { number: 1, problem: error.message };
  }
}

/** Returns the value if it is an object with fields; otherwise throws Unusable. */
export function asObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Unusable(t`not a JSON object`);
}
