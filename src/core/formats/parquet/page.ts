/**
 * @file One page of a column (https://parquet.apache.org/docs/file-format/data-pages). hyparquet decodes it, but believes what it
 * says about itself: a few bytes can ask for billions of values. So everything that decides how much memory a page takes is
 * checked first.
 */
import { readPage } from 'hyparquet/src/column.js';
import { deltaBinaryUnpack } from 'hyparquet/src/delta.js';
import { readRleBitPackedHybrid } from 'hyparquet/src/encoding.js';
import { getMaxDefinitionLevel, getMaxRepetitionLevel } from 'hyparquet/src/schema.js';
import { readVarInt } from 'hyparquet/src/thrift.js';
import type { ColumnDecoder, CompressionCodec, DataReader, DecodedArray, Encoding, PageHeader } from 'hyparquet/src/types.js';
import { decompressGzip, decompressLz4, decompressLz4Raw, decompressSnappy, decompressZstd } from 'hyparquet-compressors';
import { t } from '../../../l10n/text.js';

/** In bytes, compressed or not; writers make pages of about 1 MB. */
export const largestPage = 256 * 2 ** 20;
/** Values in a page, counting those in lists. */
const mostValues = 2 ** 24;

/** Unpacks bytes to `length` bytes, and never to many more, whatever they say. */
export type Unpack = (input: Uint8Array, length: number) => Uint8Array;

const unpackers: Partial<Record<CompressionCodec, Unpack>> = {
  SNAPPY: decompressSnappy,
  GZIP: decompressGzip,
  ZSTD: (input, length) => decompressZstd(input, new Uint8Array(length)),
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
};

export const repetitionLevelOf = getMaxRepetitionLevel;

/** The values of a page; those of a repeated column are rows, of which the first may continue the last row of `rows`. */
export function decodePage(
  header: PageHeader,
  bytes: Uint8Array<ArrayBuffer>,
  decoder: ColumnDecoder,
  dictionary?: DecodedArray,
  rows: unknown[] = [],
): DecodedArray {
  const count = valueCount(header);
  if (!(count >= 0 && count <= mostValues)) throw new Error(t`a page claims to have ${count} values`);
  if (count === 0) return rows;
  const page = decompressed(header, bytes, decoder);
  checkPage(header, page, decoder, count);
  const size = page.length;
  return readPage(
    { view: new DataView(page.buffer, page.byteOffset, size), offset: 0 },
    { ...header, compressed_page_size: size, uncompressed_page_size: size },
    { ...decoder, codec: 'UNCOMPRESSED' },
    dictionary,
    rows,
    0,
  ).data!;
}

function valueCount(header: PageHeader): number {
  switch (header.type) {
    case 'DATA_PAGE':
      return header.data_page_header?.num_values ?? -1;
    case 'DATA_PAGE_V2':
      return header.data_page_header_v2?.num_values ?? -1;
    default:
      return header.dictionary_page_header?.num_values ?? -1;
  }
}

/** In a page of the second version, the levels come first and are not compressed. */
function decompressed(header: PageHeader, bytes: Uint8Array<ArrayBuffer>, { codec, compressors }: ColumnDecoder): Uint8Array {
  const size = header.uncompressed_page_size;
  if (!(size >= 0 && size <= largestPage)) throw new Error(t`a page claims to have ${size} bytes`);
  const v2 = header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
  const levelBytes = v2 ? v2.repetition_levels_byte_length + v2.definition_levels_byte_length : 0;
  if (!(levelBytes >= 0 && levelBytes <= Math.min(size, bytes.length))) throw new Error(t`a page is damaged`);
  if (codec === 'UNCOMPRESSED' || v2?.is_compressed === false || size === levelBytes)
    return exactly(size, bytes.subarray(0, size));
  const unpack = unpackers[codec] ?? compressors?.[codec];
  if (!unpack) throw new Error(t`it is compressed with ${codec}, which is not supported`);
  const values = exactly(size - levelBytes, unpack(bytes.subarray(levelBytes), size - levelBytes));
  if (levelBytes === 0) return values;
  const whole = new Uint8Array(size);
  whole.set(bytes.subarray(0, levelBytes));
  whole.set(values, levelBytes);
  return whole;
}

function exactly(size: number, bytes: Uint8Array): Uint8Array {
  if (bytes.length === size) return bytes;
  throw new Error(t`a page has ${bytes.length} bytes where its header says ${size}`);
}

/** Throws an Error if decoding would make more values than the page says it has. */
function checkPage(header: PageHeader, page: Uint8Array, { schemaPath }: ColumnDecoder, count: number): void {
  if (header.type === 'DICTIONARY_PAGE') return;
  const reader: DataReader = { view: new DataView(page.buffer, page.byteOffset, page.length), offset: 0 };
  const v2 = header.type === 'DATA_PAGE_V2' ? header.data_page_header_v2 : undefined;
  checkLevels(reader, getMaxRepetitionLevel(schemaPath), count, v2?.repetition_levels_byte_length);
  const defined = checkLevels(reader, getMaxDefinitionLevel(schemaPath), count, v2?.definition_levels_byte_length);
  checkValues(reader, (v2 ?? header.data_page_header)?.encoding, v2 ? count - v2.num_nulls : defined, page.length);
}

/** Checks the levels, moves the reader behind them, and returns how many of them are the highest. */
function checkLevels(reader: DataReader, highest: number, count: number, lengthInHeader: number | undefined): number {
  if (highest === 0) return count;
  const length = lengthInHeader ?? readLength(reader);
  const bitWidth = 32 - Math.clz32(highest);
  checkRuns(reader, bitWidth, count, reader.offset + length);
  const levels = new Array<number>(count);
  readRleBitPackedHybrid(reader, bitWidth, levels, length);
  return levels.reduce((sum, level) => sum + Number(level === highest), 0);
}

function checkValues(reader: DataReader, encoding: Encoding | undefined, count: number, end: number): void {
  switch (encoding) {
    case 'RLE': {
      const length = readLength(reader);
      return checkRuns(reader, 1, count, reader.offset + length);
    }
    case 'PLAIN_DICTIONARY':
    case 'RLE_DICTIONARY':
      return reader.offset < end ? checkRuns(reader, reader.view.getUint8(reader.offset++), count, end) : undefined;
    case 'DELTA_BYTE_ARRAY':
      return checkPrefixes(reader, count, end);
    case 'PLAIN':
    case 'DELTA_BINARY_PACKED':
    case 'DELTA_LENGTH_BYTE_ARRAY':
    case 'BYTE_STREAM_SPLIT':
      return;
    default:
      throw new Error(t`a page is encoded as ${encoding ?? '?'}, which is not supported`);
  }
}

function readLength(reader: DataReader): number {
  reader.offset += 4;
  return reader.view.getUint32(reader.offset - 4, true);
}

/** Goes from run to run of the hybrid encoding, without reading its values, and leaves the reader where it was. */
function checkRuns({ view, offset }: DataReader, bitWidth: number, count: number, end: number): void {
  const reader = { view, offset };
  for (let seen = 0; seen < count && reader.offset < Math.min(end, view.byteLength);) {
    const header = readVarInt(reader);
    const isPacked = (header & 1) === 1;
    const length = (header >>> 1) * (isPacked ? 8 : 1);
    if (length - (isPacked ? 7 : 0) > count - seen) throw new Error(t`a page has more values than it says`);
    reader.offset += isPacked ? (length / 8) * bitWidth : Math.ceil(bitWidth / 8);
    seen += length;
  }
}

/** Values that begin like the one before store only how long that beginning is, so a small page can stand for huge values. */
function checkPrefixes({ view, offset }: DataReader, count: number, pageBytes: number): void {
  if (!(count >= 0)) throw new Error(t`a page is damaged`);
  const prefixes = new Int32Array(count);
  deltaBinaryUnpack({ view, offset }, count, prefixes);
  const total = prefixes.reduce((sum, length) => sum + length, pageBytes);
  if (total > largestPage || prefixes.some((length) => length < 0)) throw new Error(t`a page is damaged`);
}
