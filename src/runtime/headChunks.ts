import { ignoredLabel, type Batch } from '../core/data/batch.js';
import type { BatchShape } from '../core/train/programs.js';

/** Rows of the flattened batch [N] that have a label, a fixed number at a time. */
export interface HeadChunk {
  /** All different: the gradient is scattered back onto them in parallel, where a repeated row would lose some of its share. */
  readonly rows: BigInt64Array;
  readonly labels: BigInt64Array;
  /** 0 where the chunk is only filled up with rows that do not belong to it. */
  readonly counted: Float32Array;
}

/** How many rows of logits exist at a time. */
export function headChunkSize({ batchSize, sequenceLength }: BatchShape): number {
  return Math.min(128, batchSize * sequenceLength);
}

export function* headChunks(batch: Batch): Generator<HeadChunk> {
  const size = headChunkSize(batch);
  const labelled = [...batch.labels.keys()].filter((row) => batch.labels[row] !== ignoredLabel);
  for (let start = 0; start < labelled.length; start += size) {
    const own = labelled.slice(start, start + size);
    const rows = [...own, ...otherRows(own, size - own.length)];
    yield {
      rows: BigInt64Array.from(rows, BigInt),
      labels: BigInt64Array.from(rows, (row, i) => (i < own.length ? BigInt(batch.labels[row]!) : 0n)),
      counted: Float32Array.from(rows, (_, i) => Number(i < own.length)),
    };
  }
}

/** The first `count` rows that are not among the given ones. */
function otherRows(given: readonly number[], count: number): number[] {
  const taken = new Set(given);
  const others: number[] = [];
  for (let row = 0; others.length < count; row++) if (!taken.has(row)) others.push(row);
  return others;
}
