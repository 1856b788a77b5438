import { expect, test } from 'vitest';
import { countAccepted, countKept, countShown, type Counts } from '../../../../src/extension/live/counts.js';
import { drawPair, probabilityOfPreference } from '../../../../src/extension/live/preference.js';
import { continues } from '../../../../src/extension/live/suggestion.js';
import { SurvivingText } from '../../../../src/extension/live/survivingText.js';
import { Random } from '../../../../src/core/random.js';

const [base, tuned] = [null, '/a'].map((adapter) => ({ model: '/m', adapter }));

test('each writer has counts of its own', () => {
  let counts: Counts = [];
  for (const writer of [base!, tuned!, tuned!]) counts = countShown(counts, writer);
  counts = countAccepted(counts, tuned!, 'return left + right2\n');
  counts = countKept(counts, tuned!, 30, 20, 18);
  counts = countKept(counts, tuned!, 300, 20, 5);
  counts = countKept(counts, tuned!, 30, 10, 10);
  const nothing = { lookedAt: 0, kept: 0 };
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

test('in each pair of turns, either has one', () => {
  expect([drawPair(() => 0.2), drawPair(() => 0.8)]).toEqual([
    [true, false],
    [false, true],
  ]);
});
