import { expect, test } from 'vitest';
import {
  accepted,
  countFor,
  countIn,
  kept,
  shown,
  type ComparisonCounts,
  type Counts,
} from '../../../../src/extension/live/counts.js';
import { continues } from '../../../../src/extension/live/suggestion.js';
import { SurvivingText } from '../../../../src/extension/live/survivingText.js';
import { drawPair } from '../../../../src/extension/live/turns.js';
import { differenceOf, preferenceOf, probabilityOfPreference } from '../../../../src/protocol/completionStatistics.js';
import { Random } from '../../../../src/core/random.js';

const base = { model: '/m', adapter: null };
const tuned = { model: '/m', adapter: '/a' };
const nothing = { lookedAt: 0, kept: 0 };

test('each writer has counts of its own', () => {
  let counts: Counts = [];
  for (const writer of [base, tuned, tuned]) counts = countFor(counts, writer, shown);
  counts = countFor(counts, tuned, accepted('return left + right2\n'));
  counts = countFor(counts, tuned, kept(30, { lookedAt: 20, kept: 18 }));
  counts = countFor(counts, tuned, kept(300, { lookedAt: 20, kept: 5 }));
  counts = countFor(counts, tuned, kept(30, { lookedAt: 10, kept: 10 }));
  expect(counts).toEqual([
    { ...base, shown: 1, accepted: 0, acceptedWords: 0, kept: [nothing, nothing] },
    {
      ...tuned,
      shown: 2,
      accepted: 1,
      acceptedWords: 3,
      kept: [
        { lookedAt: 30, kept: 28 },
        { lookedAt: 20, kept: 5 },
      ],
    },
  ]);
});

test('comparisons are kept apart, also those of the same two', () => {
  const comparison = (startedAt: number) => ({ startedAt, writers: [tuned, base] }) as const;
  let all: readonly ComparisonCounts[] = [];
  all = countIn(all, comparison(2), base, shown);
  all = countIn(all, comparison(1), tuned, shown);
  all = countIn(all, comparison(2), base, accepted('one two'));
  const counts = { shown: 0, accepted: 0, acceptedWords: 0, kept: [nothing, nothing] };
  expect(all).toEqual([
    {
      startedAt: 1,
      arms: [
        { ...tuned, ...counts, shown: 1 },
        { ...base, ...counts },
      ],
    },
    {
      startedAt: 2,
      arms: [
        { ...tuned, ...counts },
        { ...base, ...counts, shown: 1, accepted: 1, acceptedWords: 2 },
      ],
    },
  ]);
});

test('what is typed from a suggestion, or asked for again, is no other suggestion', () => {
  const first = { document: 'a', offset: 10, text: 'left + right' };
  expect(continues(first, first)).toBe(true);
  expect(continues(first, { ...first, offset: 15, text: '+ right' })).toBe(true);
  expect(continues(first, { ...first, offset: 15, text: '- right' })).toBe(false);
  expect(continues(first, { ...first, offset: 9 })).toBe(false);
  expect(continues(first, { ...first, document: 'b' })).toBe(false);
  expect(continues(undefined, first)).toBe(false);
});

test('characters survive as they do in the text itself', () => {
  const random = new Random(3);
  const below = (count: number) => Math.floor(random.uniform() * count);
  for (let round = 0; round < 300; round++) {
    // Capitals were accepted; they are told apart from everything else.
    let text = `before ${'X'.repeat(12)} after`;
    const surviving = new SurvivingText(7, 12);
    for (let edit = 0; edit < 8; edit++) {
      const offset = below(text.length + 1);
      const removed = Math.min(below(6), text.length - offset);
      const inserted = 'y'.repeat(below(5));
      text = text.slice(0, offset) + inserted + text.slice(offset + removed);
      surviving.edit({ offset, removed, inserted: inserted.length });
      expect(surviving.characters).toBe([...text].filter((character) => character === 'X').length);
    }
  }
});

test('the probability of a preference, against sampled rates', () => {
  expect(probabilityOfPreference({ accepted: 0, shown: 0 }, { accepted: 0, shown: 0 })).toBeCloseTo(0.5, 12);
  expect(probabilityOfPreference({ accepted: 5, shown: 9 }, { accepted: 5, shown: 9 })).toBeCloseTo(0.5, 12);
  const [first, second] = [
    { accepted: 3, shown: 20 },
    { accepted: 9, shown: 22 },
  ];
  const probability = probabilityOfPreference(first, second);
  expect(probability + probabilityOfPreference(second, first)).toBeCloseTo(1, 12);
  const random = new Random(1);
  // The k-th smallest of n uniform numbers is Beta(k, n + 1 − k).
  const rate = ({ accepted, shown }: typeof first) =>
    Array.from({ length: shown + 1 }, () => random.uniform()).sort((a, b) => a - b)[accepted]!;
  const rounds = 40_000;
  let greater = 0;
  for (let round = 0; round < rounds; round++) if (rate(second) > rate(first)) greater++;
  expect(Math.abs(greater / rounds - probability)).toBeLessThan(0.01);
  expect(probabilityOfPreference({ accepted: 100, shown: 2000 }, { accepted: 700, shown: 2000 })).toBeCloseTo(1, 6);
});

test('which of two is preferred, and how sure that is', () => {
  const often = { accepted: 29, shown: 66 };
  const seldom = { accepted: 12, shown: 64 };
  const found = preferenceOf([often, seldom])!;
  expect(found).toMatchObject({ preferred: 0, isSure: true, ...differenceOf(often, seldom) });
  expect(preferenceOf([seldom, often])).toEqual({
    ...found,
    preferred: 1,
    probability: expect.closeTo(found.probability, 10) as number,
  });
  expect(
    preferenceOf([
      { accepted: 5, shown: 18 },
      { accepted: 4, shown: 17 },
    ])!.isSure,
  ).toBe(false);
  expect(preferenceOf([{ accepted: 0, shown: 0 }, often])).toBe(null);
});

test('the interval of a difference, as Newcombe’s Table II has it', () => {
  const rounded = (one: [number, number], other: [number, number]) => {
    const [first, second] = [one, other].map(([accepted, shown]) => ({ accepted, shown }));
    return differenceOf(first!, second!).interval.map((bound) => Number(bound.toFixed(4)));
  };
  expect(rounded([56, 70], [48, 80])).toEqual([0.0524, 0.3339]);
  expect(rounded([9, 10], [3, 10])).toEqual([0.1705, 0.809]);
  expect(rounded([10, 10], [0, 10])).toEqual([0.6075, 1]);
});

test('in each pair of turns, either has one', () => {
  expect([drawPair(() => 0.2), drawPair(() => 0.8)]).toEqual([
    [0, 1],
    [1, 0],
  ]);
});
