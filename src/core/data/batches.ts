import { ignoredLabel, type Batch, type Example } from './batch.js';
import { packRows } from './packing.js';
import { shuffledIndices, shuffleStreams } from './shuffle.js';

export interface BatchOptions {
  /** Rows per batch. */
  readonly batchSize: number;
  readonly maxSequenceLength: number;
  /** Whether several examples may share a row. */
  readonly packing: boolean;
  /** The id that fills the rest of a row. */
  readonly padId: number;
}

export interface EpochOrder {
  readonly shuffle: boolean;
  readonly seed: number;
  /** Counted from 0. */
  readonly epoch: number;
}

/** The batches of one pass over the examples. The plan holds only indices; batches are built on demand and always the same. */
export interface BatchPlan {
  readonly count: number;
  batch(index: number): Batch;
}

/** What the training loop iterates over. */
export interface TrainingData {
  /** The batches of an epoch, counted from 0; every call returns the same ones. */
  epoch(epoch: number): BatchPlan;
  /** Null if nothing is held out. */
  readonly evaluation: BatchPlan | null;
}

/** Depends only on its arguments, so that a resumed run can continue with any batch of any epoch. */
export function batchesForEpoch(examples: readonly Example[], options: BatchOptions, order: EpochOrder): BatchPlan {
  const { batchSize, maxSequenceLength, packing } = options;
  const indices = order.shuffle
    ? shuffledIndices(examples.length, order.seed, shuffleStreams.epoch, order.epoch)
    : examples.keys();
  const lengths = examples.map(({ inputIds }) => inputIds.length);
  const rows = packing ? packRows(lengths, indices, maxSequenceLength) : Array.from(indices, (index) => [index]);
  return {
    count: Math.ceil(rows.length / batchSize),
    batch(index) {
      const ofBatch = rows.slice(index * batchSize, (index + 1) * batchSize);
      if (ofBatch.length === 0) throw new RangeError(`there is no batch ${index}`);
      return makeBatch(
        ofBatch.map((row) => row.map((example) => examples[example]!)),
        options,
      );
    },
  };
}

/** Lengths are multiples of 32 and take at most eight values, because the engine compiles a program for each shape. */
export function paddedLength(longest: number, maxSequenceLength: number): number {
  const step = roundUp(maxSequenceLength / 8, 32);
  return Math.min(roundUp(longest, step), roundUp(maxSequenceLength, 32));
}

function roundUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}

/** Combines rows of examples into a batch. A short last batch is filled with padding rows, so that all have the same size. */
function makeBatch(rows: readonly (readonly Example[])[], { batchSize, maxSequenceLength, padId }: BatchOptions): Batch {
  const used = rows.map((row) => row.reduce((sum, { inputIds }) => sum + inputIds.length, 0));
  const sequenceLength = paddedLength(Math.max(...used), maxSequenceLength);
  const size = batchSize * sequenceLength;
  const inputIds = new Int32Array(size).fill(padId);
  const labels = new Int32Array(size).fill(ignoredLabel);
  const positionIds = new Int32Array(size);
  const segmentIds = new Int32Array(size).fill(-1);
  let labelTokens = 0;
  for (const [rowIndex, row] of rows.entries()) {
    let at = rowIndex * sequenceLength;
    for (const [segment, example] of row.entries()) {
      const length = example.inputIds.length;
      inputIds.set(example.inputIds, at);
      // Shifted: each token's label is the token that follows it; the last token of an example has none.
      labels.set(example.labels.subarray(1), at);
      segmentIds.fill(segment, at, at + length);
      for (let position = 0; position < length; position++) positionIds[at + position] = position;
      at += length;
    }
  }
  for (const label of labels) if (label !== ignoredLabel) labelTokens++;
  const tokens = used.reduce((sum, count) => sum + count, 0);
  return { batchSize, sequenceLength, inputIds, labels, positionIds, segmentIds, labelTokens, tokens };
}
