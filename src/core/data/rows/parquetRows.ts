import { t } from '../../../l10n/text.js';
import { openParquet } from '../../formats/parquet/parquetFile.js';
import { knownFields } from '../formats/format.js';
import { largestRecord, type DataFile } from '../source.js';
import type { RowItem } from './rowItem.js';

/** A column that no format reads is not decoded: its values are undefined. */
export function* parquetRows(file: DataFile): Generator<RowItem> {
  const source = file.bytes();
  let number = 0;
  try {
    const { columns, rows } = openParquet(source, (input, length) => file.unpackBrotli(input, length));
    const wanted = columns.filter((name) => knownFields.has(name));
    if (wanted.length === 0) yield { number: 1, value: asRow(columns, new Map()) };
    for (const row of rows(wanted)) yield checked(++number, asRow(columns, row));
  } catch (error) {
    // Whatever a damaged file does to the reader, it is the file's fault.
    yield { number: number + 1, problem: t`not a readable Parquet file: ${(error as Error).message}` };
  } finally {
    source.close();
  }
}

function asRow(columns: readonly string[], values: ReadonlyMap<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(columns.map((name) => [name, asJson(values.get(name))]));
}

function checked(number: number, value: Record<string, unknown>): RowItem {
  if (lengthOf(value) <= largestRecord) return { number, value };
  return { number, problem: t`the example is longer than ${largestRecord / 2 ** 20} MB` };
}

function lengthOf(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, part) => sum + lengthOf(part), 1);
}

/** The value as a JSON file would have it: null is as good as missing, and only a whole number that is too large becomes text. */
function asJson(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(asJson);
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value))
    return value ?? undefined;
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asJson(part)]));
}
