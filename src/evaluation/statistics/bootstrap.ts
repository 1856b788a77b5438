/** @file Intervals of differences by resampling (Efron and Tibshirani, An Introduction to the Bootstrap, chapter 13). */
import { Random } from '../../core/random.js';
import { quantile } from './quantile.js';

/** A metric as a quotient of two sums over cases: a mean has the number of cases below, bits per byte has the bytes. */
export interface Quotient {
  readonly numerator: number;
  readonly denominator: number;
}

export interface Interval {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

export const resamples = 4000;
const confidence = 0.95;

/** What two arms have in the same cluster. */
export type PairedCluster = readonly [Quotient, Quotient];

/**
 * The difference of two arms and its 95 % percentile interval. Positions in one file resemble each other, so whole clusters, one for
 * each file, are drawn with replacement, and always for both arms.
 */
export function bootstrapDifference(clusters: readonly PairedCluster[], seed: number, draws = resamples): Interval {
  const random = new Random(seed, clusters.length);
  const differences = Float64Array.from({ length: draws }, () =>
    difference(clusters.map(() => clusters[Math.floor(random.uniform() * clusters.length)]!)),
  ).sort();
  const tail = (1 - confidence) / 2;
  return { difference: difference(clusters), low: quantile(differences, tail), high: quantile(differences, 1 - tail) };
}

function difference(clusters: readonly PairedCluster[]): number {
  return ratio(clusters, 0) - ratio(clusters, 1);
}

function ratio(clusters: readonly PairedCluster[], arm: 0 | 1): number {
  let [numerator, denominator] = [0, 0];
  for (const cluster of clusters) {
    numerator += cluster[arm].numerator;
    denominator += cluster[arm].denominator;
  }
  return numerator / denominator;
}
