import { ignoredLabel, type Batch } from '../data/batch.js';

/** Rows of the flattened batch [N] that have a label, as many at a time as one program takes. */
export interface HeadChunk {
  /** All distinct: the gradient is scattered back in parallel, and a repeated row would lose part of its gradient. */
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  /** 0 for rows that only pad the chunk. */
  readonly counted: Float32Array;
}

/**
 * Every chunk reads the weights of the whole vocabulary, so there should be few. With sizes in multiples of 64 rows, a few
 * programs serve all batches.
 */
export const largestChunk = 512;
const granule = 64;

export function* headChunks(batch: Batch): Generator<HeadChunk> {
  const labelled = [...batch.labels.keys()].filter((row) => batch.labels[row] !== ignoredLabel);
  for (let start = 0; start < labelled.length;) {
    const size = chunkSize(labelled.length - start, batch.labels.length);
    const own = labelled.slice(start, start + size);
    const rows = [...own, ...otherRows(own, size - own.length)];
    yield {
      rows: Int32Array.from(rows),
      labels: Int32Array.from(rows, (row, i) => (i < own.length ? batch.labels[row]! : 0)),
      counted: Float32Array.from(rows, (_, i) => Number(i < own.length)),
    };
    start += size;
  }
}

function chunkSize(remaining: number, tokens: number): number {
  return Math.min(granule * Math.ceil(remaining / granule), largestChunk, tokens);
}

/** The first `count` rows that are not among the given ones. */
function otherRows(given: readonly number[], count: number): number[] {
  const taken = new Set(given);
  const others: number[] = [];
  for (let row = 0; others.length < count; row++) if (!taken.has(row)) others.push(row);
  return others;
}
