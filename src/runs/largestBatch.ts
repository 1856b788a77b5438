import { paddedLength } from '../core/data/batches.js';
import type { BatchShape } from '../core/train/programs.js';
import type { RunConfig } from '../protocol/runConfig.js';

/** Rows are no longer than the longest example, unless they are packed. */
export function largestBatch({ data, train }: RunConfig, longestExample: number): BatchShape {
  const longest = data.packing ? data.max_seq_length : longestExample;
  return { batchSize: train.batch_size, sequenceLength: paddedLength(longest, data.max_seq_length) };
}
