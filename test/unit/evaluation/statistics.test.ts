/** The statistics, against all cases there are. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bootstrapDifference, type PairedCluster } from '../../../src/evaluation/statistics/bootstrap.js';
import { mcnemar } from '../../../src/evaluation/statistics/mcnemar.js';
import { quantile } from '../../../src/evaluation/statistics/quantile.js';

/** Counts the 2ⁿ ways in which n differing cases can fall that are at least as uneven. */
function mcnemarByCounting(onlyOne: number, onlyOther: number): number {
  const total = onlyOne + onlyOther;
  const ways = 2 ** total;
  let uneven = 0;
  for (let way = 0; way < ways; way++) {
    const ones = way.toString(2).replaceAll('0', '').length;
    if (Math.abs(2 * ones - total) >= Math.abs(onlyOne - onlyOther)) uneven++;
  }
  return uneven / ways;
}

test('McNemar’s p value is the share of all outcomes that are at least as uneven', () => {
  for (let one = 0; one <= 6; one++) {
    for (let other = 0; other <= 6; other++) expect(mcnemar(one, other)).toBeCloseTo(mcnemarByCounting(one, other), 10);
  }
  // scipy.stats.binomtest(40, 100).pvalue and binomtest(5, 1005).pvalue
  expect(mcnemar(40, 60)).toBeCloseTo(0.05688793364098077, 10);
  expect(mcnemar(5, 1000)).toBeLessThan(1e-280);
});

test('quantiles interpolate as numpy’s do', () => {
  expect(quantile([1, 2, 4, 8], 0.5)).toBe(3);
  expect(quantile([1, 2, 4, 8], 0.9)).toBeCloseTo(6.8, 12);
  expect(quantile([5], 0.025)).toBe(5);
});

/** The differences of all nⁿ ways to draw n clusters with replacement, sorted. */
function allResamples(clusters: readonly PairedCluster[]): number[] {
  const count = clusters.length;
  const sum = (drawn: readonly PairedCluster[], arm: 0 | 1) =>
    drawn.reduce((total, cluster) => total + cluster[arm].numerator, 0) /
    drawn.reduce((total, cluster) => total + cluster[arm].denominator, 0);
  return Array.from({ length: count ** count }, (_, way) => {
    const drawn = Array.from({ length: count }, (_, place) => clusters[Math.floor(way / count ** place) % count]!);
    return sum(drawn, 0) - sum(drawn, 1);
  }).sort((one, other) => one - other);
}

test('the interval is that of all resamples of the files', () => {
  const part = fc.record({ numerator: fc.integer({ min: 0, max: 20 }), denominator: fc.integer({ min: 1, max: 9 }) });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(part, part), { minLength: 5, maxLength: 5 }),
      fc.integer({ min: 0, max: 999 }),
      (clusters, seed) => {
        const { difference, low, high } = bootstrapDifference(clusters, seed, 20_000);
        const all = allResamples(clusters);
        // 2.5 % of the exact distribution lie outside on either side, within four standard errors of 20,000 draws.
        const below = (value: number) => all.filter((each) => each < value - 1e-12).length / all.length;
        const upTo = (value: number) => all.filter((each) => each <= value + 1e-12).length / all.length;
        expect(below(low)).toBeLessThanOrEqual(0.025 + 0.005);
        expect(upTo(low)).toBeGreaterThanOrEqual(0.025 - 0.005);
        expect(below(high)).toBeLessThanOrEqual(0.975 + 0.005);
        expect(upTo(high)).toBeGreaterThanOrEqual(0.975 - 0.005);
        expect(low).toBeLessThanOrEqual(difference);
        expect(high).toBeGreaterThanOrEqual(difference);
        expect(bootstrapDifference(clusters, seed, 200)).toEqual(bootstrapDifference(clusters, seed, 200));
      },
    ),
    { numRuns: 15 },
  );
});
