import type { Batch } from '../src/core/data/batch.js';
import type { ModelConfig } from '../src/core/models/config.js';
import type { BatchShape } from '../src/core/train/programs.js';

/** Arbitrary tokens; the last share of each row has labels, except for a row's last token, which nothing follows. */
export function randomBatch({ vocabSize }: ModelConfig, { batchSize, sequenceLength }: BatchShape, labelShare: number): Batch {
  const tokens = batchSize * sequenceLength;
  const inputIds = Int32Array.from({ length: tokens }, (_, i) => (i * 7919) % vocabSize);
  const promptLength = Math.round((1 - labelShare) * sequenceLength);
  const labels = Int32Array.from({ length: tokens }, (_, i) => {
    const position = i % sequenceLength;
    return position < promptLength || position === sequenceLength - 1 ? -100 : inputIds[i + 1]!;
  });
  return {
    batchSize,
    sequenceLength,
    inputIds,
    labels,
    positionIds: Int32Array.from({ length: tokens }, (_, i) => i % sequenceLength),
    segmentIds: new Int32Array(tokens),
    labelTokens: labels.filter((label) => label !== -100).length,
    tokens,
  };
}
