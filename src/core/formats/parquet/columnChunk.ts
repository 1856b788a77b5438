import { parquetHeader } from 'hyparquet/src/column.js';
import { DEFAULT_PARSERS, convert } from 'hyparquet/src/convert.js';
import type { ColumnDecoder, ColumnMetaData, DecodedArray, PageHeader, SchemaTree } from 'hyparquet/src/types.js';
import { t } from '../../../l10n/text.js';
import type { ByteSource } from '../byteSource.js';
import { decodePage, largestPage, repetitionLevelOf, type Unpack } from './page.js';

/** In bytes; what is read at once. */
const readAhead = 2 ** 20;
/** In bytes; usual headers are far smaller, but one may contain the page's smallest and largest value. */
const headerSizes = [2 ** 12, 2 ** 22];

/** The values of one leaf column in a row group, decoded page by page. */
export class ColumnChunk {
  readonly path: string;
  private readonly decoder: ColumnDecoder;
  private readonly isRepeated: boolean;
  private position: number;
  private readonly end: number;
  private window = { start: 0, bytes: new Uint8Array(0) };
  private dictionary: DecodedArray | undefined;
  /** Decoded rows that nobody has taken yet. */
  private rows: DecodedArray = [];
  private taken = 0;
  /** The last row of a page, which the next page may continue. */
  private unfinished: unknown[] = [];

  constructor(
    private readonly source: ByteSource,
    { path_in_schema, type, codec, data_page_offset, dictionary_page_offset, total_compressed_size }: ColumnMetaData,
    schemaPath: SchemaTree[],
    unpackBrotli: Unpack,
  ) {
    const { element } = schemaPath.at(-1)!;
    this.path = path_in_schema.join('.');
    this.decoder = {
      pathInSchema: path_in_schema,
      type,
      element,
      schemaPath,
      codec,
      parsers: DEFAULT_PARSERS,
      compressors: { BROTLI: unpackBrotli },
    };
    this.isRepeated = repetitionLevelOf(schemaPath) > 0;
    this.position = Number(dictionary_page_offset || data_page_offset);
    this.end = this.position + Number(total_compressed_size);
    if (!(this.position >= 0 && this.position <= this.end && this.end <= source.size))
      throw new Error(t`the column "${this.path}" lies outside of the file`);
  }

  /** The next rows, or as many as are left. */
  take(count: number): unknown[] {
    const taken: unknown[] = [];
    while (taken.length < count) {
      if (this.taken === this.rows.length && !this.nextPage()) break;
      taken.push(this.rows[this.taken++]);
    }
    return taken;
  }

  /** Decodes pages until there are rows to take; returns false at the end of the chunk. */
  private nextPage(): boolean {
    this.taken = 0;
    this.rows = [];
    while (this.rows.length === 0 && this.position < this.end) {
      const header = this.readHeader();
      const bytes = this.read(header.compressed_page_size);
      if (header.type === 'DICTIONARY_PAGE') this.dictionary = convert(decodePage(header, bytes, this.decoder), this.decoder);
      else this.add(decodePage(header, bytes, this.decoder, this.dictionary, this.isRepeated ? this.unfinished : []));
    }
    if (this.rows.length === 0) [this.rows, this.unfinished] = [this.unfinished, []];
    return this.rows.length > 0;
  }

  private add(decoded: DecodedArray): void {
    this.unfinished = this.isRepeated && decoded.length > 0 ? [decoded.at(-1)] : [];
    this.rows = this.isRepeated ? decoded.slice(0, -1) : decoded;
  }

  private readHeader(): PageHeader {
    for (const size of headerSizes) {
      const bytes = this.peek(Math.min(size, this.end - this.position));
      const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
      try {
        const header = parquetHeader(reader);
        this.position += reader.offset;
        return header;
      } catch (error) {
        if (bytes.length < size || size === headerSizes.at(-1)) throw error;
      }
    }
    throw new Error('internal: no page header was tried');
  }

  private read(length: number): Uint8Array<ArrayBuffer> {
    if (!(length >= 0 && length <= largestPage && length <= this.end - this.position))
      throw new Error(t`a page of the column "${this.path}" claims to have ${length} bytes`);
    const bytes = this.peek(length).slice();
    this.position += length;
    return bytes;
  }

  /** The bytes at the current position. */
  private peek(length: number): Uint8Array<ArrayBuffer> {
    let offset = this.position - this.window.start;
    if (offset < 0 || offset + length > this.window.bytes.length) {
      const bytes = new Uint8Array(Math.min(Math.max(length, readAhead), this.end - this.position));
      this.source.read(this.position, bytes);
      this.window = { start: this.position, bytes };
      offset = 0;
    }
    return this.window.bytes.subarray(offset, offset + length);
  }
}
