import { ignoredLabel, type Batch } from '../core/data/batch.js';

/** Rows of the flattened batch [N] that have a label, a fixed number at a time. */
export interface HeadChunk {
  readonly rows: BigInt64Array;
  readonly labels: BigInt64Array;
  /** 0 where the chunk is only filled up; such rows repeat row 0. */
  readonly counted: Float32Array;
}

export function* headChunks(batch: Batch, size: number): Generator<HeadChunk> {
  const labelled = [...batch.labels.keys()].filter((row) => batch.labels[row] !== ignoredLabel);
  for (let start = 0; start < labelled.length; start += size) {
    const rows = labelled.slice(start, start + size);
    const fill = <T>(values: T[], filler: T): T[] => [...values, ...Array<T>(size - values.length).fill(filler)];
    yield {
      rows: BigInt64Array.from(fill(rows.map(BigInt), 0n)),
      labels: BigInt64Array.from(fill(rows.map((row) => BigInt(batch.labels[row]!)), 0n)),
      counted: Float32Array.from(fill(rows.map(() => 1), 0)),
    };
  }
}
