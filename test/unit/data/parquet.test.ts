import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { detectFormat } from '../../../src/core/data/detectFormat.js';
import { rowsOf } from '../../../src/core/data/rows/rows.js';
import type { DataFile } from '../../../src/core/data/source.js';
import { UserError } from '../../../src/core/errors.js';
import { openParquet } from '../../../src/core/formats/parquet/parquetFile.js';
import { memorySource } from '../formats/memorySource.js';
import { diskFiles } from '../../../src/files/dataFiles.js';

const fixtures = new URL('../../fixtures/data/', import.meta.url).pathname;
const bytesOf = (variant: string) => readFileSync(join(fixtures, `rows-${variant}.parquet`));
const { columns, rows } = JSON.parse(readFileSync(join(fixtures, 'rows.json'), 'utf8')) as {
  columns: string[];
  rows: Record<string, unknown>[];
};
const variants = ['plain', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4', 'small-pages', 'small-pages-v2', 'delta'];

/** A Parquet file in memory. */
function parquet(bytes: Uint8Array, path = 'x.parquet'): DataFile {
  const unused = () => {
    throw new Error('only bytes are read');
  };
  return { path, size: bytes.length, text: unused, lines: unused, bytes: () => memorySource(bytes, path), unpackBrotli: unused };
}
function fileAt(path: string): DataFile {
  const place = diskFiles.open(path);
  if (place.kind !== 'file') throw new Error('not a file');
  return place.file;
}

test.each(variants)('%s: every row is what pyarrow wrote', (variant) => {
  const items = [...rowsOf(fileAt(join(fixtures, `rows-${variant}.parquet`)))];
  expect(items.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  const values = items.map((item) => JSON.parse(JSON.stringify('value' in item ? item.value : item)) as unknown);
  // Columns that no format reads are named, but not decoded.
  expect(values).toEqual(rows.map(({ id: _id, embedding: _embedding, ...known }) => known));
  const [first] = items;
  expect(first && 'value' in first && Object.keys(first.value as object)).toEqual(columns);
});

test('any column can be read, and reading one does not touch the others', () => {
  const bytes = bytesOf('plain');
  const read: number[] = [];
  const source = memorySource(bytes);
  const watched = { ...source, read: (offset: number, into: Uint8Array) => (read.push(into.length), source.read(offset, into)) };
  const ids = [...openParquet(watched, () => bytes).rows(['id'])].map((row) => row.get('id'));
  expect(ids).toEqual(rows.map(({ id }) => id));
  expect(read.reduce((sum, length) => sum + length)).toBeLessThan(bytes.length / 3);
});

describe('damaged files', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'parquet-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  const footer = (metadata: number[], length = metadata.length) =>
    Uint8Array.from([
      ...Buffer.from('PAR1'),
      ...metadata,
      ...new Uint8Array(Uint32Array.of(length).buffer),
      ...Buffer.from('PAR1'),
    ]);

  test.each<[string, Uint8Array, RegExp]>([
    ['nothing', Uint8Array.of(), /does not end as Parquet files do/],
    ['a page of the web', Buffer.from('<html>Not found</html>'), /does not end as Parquet files do/],
    ['an encrypted file', Buffer.from('PARExxxxxxxxPARE'), /encrypted/],
    ['the first half', bytesOf('snappy').subarray(0, 5000), /does not end/],
    ['metadata larger than the file', footer([1, 2, 3], 2 ** 31), /2147483648 bytes/],
    ['no metadata', footer([]), /Parquet/],
    ['metadata of nothing', footer([0]), /Parquet/],
    ['a list of two billion elements', footer([0x29, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07]), /Parquet/],
    ['structures in structures', footer([...new Array<number>(100_000).fill(0x1c)]), /Parquet/],
  ])('%s is one UserError', (_, bytes, reason) => {
    const path = join(folder, 'x.parquet');
    writeFileSync(path, bytes);
    expect(() => detectFormat(diskFiles.open(path))).toThrow(UserError);
    expect(() => detectFormat(diskFiles.open(path))).toThrow(reason);
    expect(() => detectFormat(diskFiles.open(path))).toThrow(/x\.parquet/);
  });
});

test.each(['plain', 'snappy', 'small-pages-v2', 'delta', 'zstd'])(
  '%s: whatever byte changes, reading ends soon and says why',
  (variant) => {
    const original = bytesOf(variant);
    const change = fc.tuple(fc.nat(original.length - 1), fc.nat(255));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Uint8Array.from(original);
        for (const [index, value] of changes) bytes[index] = value;
        const start = performance.now();
        let count = 0;
        for (const item of rowsOf(parquet(bytes))) {
          if ('problem' in item) expect(item.problem).toMatch(/Parquet|longer/);
          if (++count > 10 * rows.length) break;
        }
        expect(performance.now() - start).toBeLessThan(10_000);
      }),
      { numRuns: 150 },
    );
  },
);
