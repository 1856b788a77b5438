import type { BatchLoss } from '../core/train/stepRunner.js';

export interface PairedDifference {
  /** Mean loss per token of the second minus that of the first. */
  readonly difference: number;
  /** Half of its 95 % interval; null if there is only one batch. */
  readonly halfInterval: number | null;
}

/**
 * Compares two losses on the same batches. The interval is that of a ratio of sums over batches (Cochran, Sampling Techniques,
 * section 6.3), for which they are taken as drawn independently, with Student's t because they may be few.
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
  return { difference: mean, halfInterval: studentQuantile(pairs.length - 1) * deviation };
}

/** The 97.5 % point of Student's t, to 1 %: its closed forms, else its expansion (Abramowitz & Stegun, 26.7.5). */
function studentQuantile(degreesOfFreedom: number): number {
  if (degreesOfFreedom === 1) return 12.706;
  if (degreesOfFreedom === 2) return 4.303;
  const z = 1.96;
  const first = (z ** 3 + z) / 4;
  const second = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const third = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return z + first / degreesOfFreedom + second / degreesOfFreedom ** 2 + third / degreesOfFreedom ** 3;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
