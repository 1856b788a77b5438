import type { BatchLoss } from '../core/train/stepRunner.js';

export interface PairedDifference {
  /** Mean loss per token of the second minus that of the first. */
  readonly difference: number;
  /** Half of its 95 % interval; null if there is only one batch. */
  readonly halfInterval: number | null;
}

/**
 * Compares two losses on the same batches. The interval is that of a ratio of sums over batches (Cochran, Sampling Techniques,
 * section 6.3), for which they are taken as drawn independently.
 */
export function pairedDifference(first: readonly BatchLoss[], second: readonly BatchLoss[]): PairedDifference {
  const pairs = first.map(({ lossSum, labelTokens }, index) => ({
    difference: second[index]!.lossSum - lossSum,
    tokens: labelTokens,
  }));
  const tokens = sum(pairs.map((pair) => pair.tokens));
  const mean = sum(pairs.map((pair) => pair.difference)) / tokens;
  if (pairs.length < 2) return { difference: mean, halfInterval: null };
  const squares = sum(pairs.map((pair) => (pair.difference - mean * pair.tokens) ** 2));
  const deviation = Math.sqrt((squares * pairs.length) / (pairs.length - 1)) / tokens;
  return { difference: mean, halfInterval: 1.96 * deviation };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
