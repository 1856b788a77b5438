import { ignoredLabel, type Batch } from '../../src/core/data/batch.js';

/** Rows of equal length as a batch, each its own segment; labels as in Hugging Face, not yet shifted. */
export function batchOf(inputIds: readonly (readonly number[])[], labels: readonly (readonly number[])[] = inputIds): Batch {
  const [batchSize, sequenceLength] = [inputIds.length, inputIds[0]!.length];
  const tokens = batchSize * sequenceLength;
  const shifted = Int32Array.from(labels.flatMap((row) => [...row.slice(1), ignoredLabel]));
  return {
    batchSize,
    sequenceLength,
    inputIds: Int32Array.from(inputIds.flat()),
    labels: shifted,
    positionIds: Int32Array.from({ length: tokens }, (_, i) => i % sequenceLength),
    segmentIds: new Int32Array(tokens),
    labelTokens: shifted.filter((label) => label !== ignoredLabel).length,
    tokens,
  };
}
