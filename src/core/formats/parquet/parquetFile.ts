/** @file Parquet (https://parquet.apache.org/docs/file-format): its metadata, and its rows without ever holding a whole row group. */
import { assembleNested } from 'hyparquet/src/assemble.js';
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js';
import { parquetMetadata, parquetSchema } from 'hyparquet/src/metadata.js';
import { getTreePath } from 'hyparquet/src/schema.js';
import type { ColumnMetaData, FileMetaData, RowGroup, SchemaTree } from 'hyparquet/src/types.js';
import { t } from '../../../l10n/text.js';
import type { ByteSource } from '../byteSource.js';
import { ColumnChunk } from './columnChunk.js';
import type { Unpack } from './page.js';

export interface ParquetFile {
  /** The names of the top-level columns. */
  readonly columns: readonly string[];
  /** Every row with the wanted columns, and no others. Throws an Error for a damaged file. */
  rows(wanted: readonly string[]): Generator<ReadonlyMap<string, unknown>>;
}

/** In bytes; real metadata is a few hundred bytes per column of a row group. */
const largestMetadata = 16 * 2 ** 20;
const mostSchemaElements = 10_000;
/** Rows that are decoded before the first of them is given out. */
const rowsAtOnce = 256;

/**
 * Throws an Error, which says why, for a file that is not Parquet or is damaged. Brotli is the platform's, because the known
 * decoders in JavaScript do not stop at the wanted length.
 */
export function openParquet(source: ByteSource, unpackBrotli: Unpack): ParquetFile {
  const metadata = readMetadata(source);
  const schema = parquetSchema(metadata);
  const columns = schema.children.map(({ element }) => element.name);
  return {
    columns,
    *rows(wanted) {
      const trees = schema.children.filter(({ element }) => wanted.includes(element.name));
      for (const group of metadata.row_groups)
        yield* rowsOfGroup(group, trees, (metadata) => openChunk(source, schema, metadata, unpackBrotli));
    },
  };
}

function readMetadata(source: ByteSource): FileMetaData {
  const tail = bytesAt(source, Math.max(0, source.size - 8), Math.min(8, source.size));
  const magic = String.fromCharCode(...tail.subarray(-4));
  if (magic === 'PARE') throw new Error(t`it is encrypted`);
  if (magic !== 'PAR1' || tail.length < 8) throw new Error(t`it does not end as Parquet files do`);
  const length = new DataView(tail.buffer).getUint32(0, true);
  if (length > largestMetadata || length + 8 > source.size) throw new Error(t`its metadata claims to have ${length} bytes`);
  const metadata = parquetMetadata(bytesAt(source, source.size - 8 - length, length + 8), { geoparquet: false });
  if (metadata.schema.length > mostSchemaElements) throw new Error(t`it has more than ${mostSchemaElements} columns`);
  return metadata;
}

function bytesAt(source: ByteSource, offset: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  source.read(offset, bytes);
  return bytes;
}

type OpenChunk = (metadata: ColumnMetaData) => ColumnChunk;

function openChunk(source: ByteSource, schema: SchemaTree, metadata: ColumnMetaData, unpackBrotli: Unpack): ColumnChunk {
  return new ColumnChunk(source, metadata, getTreePath(schema, metadata.path_in_schema), unpackBrotli);
}

function* rowsOfGroup(group: RowGroup, trees: readonly SchemaTree[], open: OpenChunk): Generator<ReadonlyMap<string, unknown>> {
  const columns = trees.map((tree) => ({ name: tree.element.name, take: columnReader(group, tree, open) }));
  for (let left = Number(group.num_rows); left > 0 && columns.length > 0; left -= rowsAtOnce) {
    const count = Math.min(left, rowsAtOnce);
    const values = columns.map(({ name, take }) => [name, take(count)] as const);
    for (let row = 0; row < count; row++) yield new Map(values.map(([name, ofColumn]) => [name, ofColumn[row]]));
  }
}

/** Reads the next values of a top-level column, which is stored as one chunk for each leaf below it. */
function columnReader(group: RowGroup, tree: SchemaTree, open: OpenChunk): (count: number) => ArrayLike<unknown> {
  const name = tree.element.name;
  const chunks = group.columns.flatMap(({ meta_data: metadata }) =>
    metadata?.path_in_schema[0] === name ? [open(metadata)] : [],
  );
  return (count) => {
    const leaves = new Map(chunks.map((chunk) => [chunk.path, chunk.take(count)]));
    assembleNested(leaves, tree, DEFAULT_PARSERS);
    const values = leaves.get(name);
    if (values?.length === count) return values;
    throw new Error(t`the column "${name}" has fewer values than rows`);
  };
}
