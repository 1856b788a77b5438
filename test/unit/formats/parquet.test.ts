import { gzipSync } from 'node:zlib';
import type { ColumnDecoder, PageHeader } from 'hyparquet/src/types.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import { decodePage } from '../../../src/core/formats/parquet/page.js';
import { openParquet } from '../../../src/core/formats/parquet/parquetFile.js';
import { memorySource } from './memorySource.js';

test('a large row group is read page by page', () => {
  const text = (index: number) => `${index} ${'lorem ipsum dolor sit amet '.repeat(20)}`;
  const data = Array.from({ length: 40_000 }, (_, index) => text(index));
  const file = parquetWriteBuffer({
    columnData: [{ name: 'text', data, type: 'STRING' }],
    codec: 'UNCOMPRESSED',
    rowGroupSize: data.length,
  });
  const bytes = new Uint8Array(file);
  expect(bytes.length).toBeGreaterThan(20e6);
  const source = memorySource(bytes);
  let [largest, total] = [0, 0];
  const read = (offset: number, into: Uint8Array) => {
    largest = Math.max(largest, into.length);
    total += into.length;
    source.read(offset, into);
  };
  let index = 0;
  for (const row of openParquet({ ...source, read }, () => bytes).rows(['text'])) {
    if (row.get('text') !== text(index)) throw new Error(`row ${index} differs`);
    if (index++ === 0) expect(total).toBeLessThan(4e6);
  }
  expect(index).toBe(data.length);
  expect(largest).toBeLessThan(4e6);
  expect(total).toBeLessThan(3 * bytes.length);
});

describe('a small page that asks for much is refused before it gets it', () => {
  const element = { name: 'text', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL', converted_type: 'UTF8' } as const;
  const root = { count: 2, path: [], children: [], element: { name: 'root' } };
  const decoder: ColumnDecoder = {
    pathInSchema: ['text'],
    type: 'BYTE_ARRAY',
    element,
    schemaPath: [root, { count: 1, path: ['text'], children: [], element }],
    codec: 'UNCOMPRESSED',
    parsers: DEFAULT_PARSERS,
  };
  const levels = { definition_level_encoding: 'RLE', repetition_level_encoding: 'RLE' } as const;
  const v1 = (
    count: number,
    size: number,
    encoding: 'PLAIN' | 'RLE_DICTIONARY' | 'DELTA_BYTE_ARRAY' | 'ALP' = 'PLAIN',
  ): PageHeader => ({
    type: 'DATA_PAGE',
    compressed_page_size: size,
    uncompressed_page_size: size,
    data_page_header: { num_values: count, encoding, ...levels },
  });
  const length = (value: number) => [...new Uint8Array(Uint32Array.of(value).buffer)];
  const allDefined = [...length(2), 2 << 1, 1];
  const run30 = [0x80, 0x80, 0x80, 0x80, 0x08];
  const varint = (value: number): number[] => (value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)]);
  /** Delta encoding: blocks of 128 in 4 miniblocks, the first value, then deltas of zero. */
  const deltas = (count: number, first: number) => [0x80, 0x01, 4, ...varint(count), ...varint(2 * first), 0, 0, 0, 0, 0];

  test.each<[string, PageHeader, number[], RegExp]>([
    ['two billion values', v1(2 ** 31 - 1, 6), allDefined, /2147483647 values/],
    ['fewer than no values', v1(-1, 6), allDefined, /-1 values/],
    ['a run of a billion levels', v1(2, 10), [...length(6), ...run30, 1], /more values than it says/],
    ['a packed run of billions', v1(2, 10), [...length(6), 0x81, 0x80, 0x80, 0x80, 0x08, 1], /more values than it says/],
    [
      'a run of a billion dictionary entries',
      v1(2, 13, 'RLE_DICTIONARY'),
      [...allDefined, 1, ...run30, 1],
      /more values than it says/,
    ],
    [
      'values that repeat the beginning of the one before',
      v1(100, 0, 'DELTA_BYTE_ARRAY'),
      [...length(3), ...varint(200), 1, ...deltas(100, 2 ** 24), ...deltas(100, 0)],
      /damaged/,
    ],
    ['a page larger than any', { ...v1(2, 2 ** 30), compressed_page_size: 6 }, allDefined, /1073741824 bytes/],
    ['an encoding of tomorrow', v1(2, 6, 'ALP'), allDefined, /ALP/],
    [
      'values in the header of the other version',
      { ...v1(2, 6), type: 'DATA_PAGE_V2', data_page_header_v2: undefined! },
      allDefined,
      /-1 values/,
    ],
  ])('%s', (_, header, bytes, reason) => {
    const size = header.uncompressed_page_size || bytes.length;
    const page = Uint8Array.from(bytes);
    expect(() => decodePage({ ...header, uncompressed_page_size: size }, page, decoder)).toThrow(reason);
  });

  const bomb = new Uint8Array(2 ** 26);
  /** Blocks of one byte, repeated 128 KB times (RFC 8878, 3.1.1.2). */
  const zstd = [
    0x28,
    0xb5,
    0x2f,
    0xfd,
    0,
    0x48,
    ...Array.from({ length: 512 }, (_, index) => [index === 511 ? 3 : 2, 0, 16, 0]).flat(),
  ];
  test.each([
    ['GZIP', gzipSync(bomb)],
    ['ZSTD', Uint8Array.from(zstd)],
  ] as const)('%s that unpacks to 64 MB where 100 bytes are expected', (codec, packed) => {
    const header = { ...v1(2, 100), compressed_page_size: packed.length };
    const before = process.memoryUsage().arrayBuffers;
    const bytes = Uint8Array.from(packed);
    const decode = () => decodePage(header, bytes, { ...decoder, codec });
    try {
      decode();
    } catch (error) {
      expect(error).toBeInstanceOf(Error);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 25);
  });
});
