import { ignoredLabel, type Batch } from '../data/batch.js';

/** Rows of the flattened batch [N] that have a label, as many at a time as a program takes. */
export interface HeadChunk {
  /** All different: the gradient is scattered back onto them in parallel, where a repeated row would lose some of its share. */
  readonly rows: Int32Array;
  readonly labels: Int32Array;
  /** 0 where the chunk is only filled up with rows that do not belong to it. */
  readonly counted: Float32Array;
}

/** Larger chunks read the vocabulary's weights less often; powers of two, so that few programs fit all batches. */
export const largestChunk = 512;
const smallestChunk = 64;
const leastFilled = 7 / 8;

export function* headChunks(batch: Batch): Generator<HeadChunk> {
  const labelled = [...batch.labels.keys()].filter((row) => batch.labels[row] !== ignoredLabel);
  for (let start = 0; start < labelled.length; ) {
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

/** The largest that is filled, or nearly. */
function chunkSize(remaining: number, tokens: number): number {
  let size = Math.min(smallestChunk, tokens);
  while (2 * size <= Math.min(tokens, largestChunk) && 2 * size * leastFilled <= remaining) size *= 2;
  return size;
}

/** The first `count` rows that are not among the given ones. */
function otherRows(given: readonly number[], count: number): number[] {
  const taken = new Set(given);
  const others: number[] = [];
  for (let row = 0; others.length < count; row++) if (!taken.has(row)) others.push(row);
  return others;
}
