import { describe, expect, test } from 'vitest';
import { pairedDifference } from '../../../src/analysis/pairedDifference.js';
import { Random } from '../../../src/core/random.js';
import { recommend } from '../../../src/sweep/recommend.js';

interface Run {
  readonly loss: number;
  readonly trainableParameters: number;
  readonly seconds?: number;
}

describe('on losses with known noise', () => {
  const runs: readonly Run[] = [
    { loss: 2.3, trainableParameters: 100 },
    { loss: 2.0, trainableParameters: 400 },
    { loss: 2.0, trainableParameters: 1600 },
    { loss: 2.01, trainableParameters: 800 },
  ];
  const random = new Random(7);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random.uniform())) * Math.cos(2 * Math.PI * random.uniform());

  /** Examples differ much, in the same way for all runs, and each run's loss on them a little. */
  function measured(examples: number) {
    const tokens = Array.from({ length: examples }, () => 20 + Math.floor(80 * random.uniform()));
    const hard = tokens.map(() => normal());
    const losses = runs.map(({ loss }) =>
      tokens.map((labelTokens, index) => ({ lossSum: labelTokens * (loss + hard[index]! + 0.1 * normal()), labelTokens })),
    );
    const means = losses.map((each) => each.reduce((sum, { lossSum }) => sum + lossSum, 0));
    const best = means.indexOf(Math.min(...means));
    const rows = losses.map((each, index) => ({ ...runs[index]!, seconds: 1, toBest: pairedDifference(losses[best]!, each) }));
    return { rows, trueDifference: pairedDifference(losses[1]!, losses[0]!) };
  }

  test('the smallest run that is as good as any is taken, and one that is worse hardly ever', () => {
    const taken = [0, 0, 0, 0];
    let covered = 0;
    for (let trial = 0; trial < 400; trial++) {
      const { rows, trueDifference } = measured(60);
      taken[recommend(rows)!.take]!++;
      if (Math.abs(trueDifference.difference - 0.3) <= trueDifference.halfInterval!) covered++;
    }
    expect(taken[0]).toBe(0);
    expect(taken[1]).toBeGreaterThan(360);
    expect(covered / 400).toBeGreaterThan(0.91);
    expect(covered / 400).toBeLessThan(0.98);
  });

  test('with hardly any examples, nothing can be told', () => {
    const doubts = Array.from({ length: 100 }, () => recommend(measured(2).rows)!).filter(({ isUncertain }) => isUncertain);
    expect(doubts.length).toBeGreaterThan(20);
  });
});

const row = (difference: number, halfInterval: number | null, trainableParameters: number, seconds: number | null = 10) => ({
  toBest: { difference, halfInterval },
  trainableParameters,
  seconds,
});
const notMeasured = { toBest: null, trainableParameters: 1, seconds: 1 };

test.each([
  { what: 'nothing measured', rows: [notMeasured], expected: null },
  { what: 'one run', rows: [notMeasured, row(0, 0, 8)], expected: { take: 1, best: 1, isUncertain: false } },
  {
    what: 'only the best is good enough',
    rows: [row(0.2, 0.1, 4), row(0, 0, 8)],
    expected: { take: 1, best: 1, isUncertain: false },
  },
  {
    what: 'a smaller one is as good',
    rows: [row(0.05, 0.1, 4), row(0, 0, 8), row(0.3, 0.1, 2)],
    expected: { take: 0, best: 1, isUncertain: false },
  },
  {
    what: 'of equally small ones, the faster',
    rows: [row(0.01, 0.1, 4, 20), row(0, 0, 8), row(0.05, 0.1, 4, 10), row(0.3, 0.1, 1)],
    expected: { take: 2, best: 1, isUncertain: false },
  },
  {
    what: 'of equally small and about equally fast ones, the better',
    rows: [row(0.05, 0.1, 4, 10), row(0, 0, 8), row(0.01, 0.1, 4, 10.5), row(0.3, 0.1, 1)],
    expected: { take: 2, best: 1, isUncertain: false },
  },
  {
    what: 'no run can be told from the best',
    rows: [row(0.05, 0.1, 4), row(0, 0, 8)],
    expected: { take: 0, best: 1, isUncertain: true },
  },
  { what: 'a single example', rows: [row(0.05, null, 4), row(0, null, 8)], expected: { take: 1, best: 1, isUncertain: true } },
])('$what', ({ rows, expected }) => expect(recommend(rows)).toEqual(expected));
