/** The scores of a suggestion, against rapidfuzz and against what the definitions give by hand. */
import { readFileSync } from 'node:fs';
import { distance } from 'fastest-levenshtein';
import { describe, expect, test } from 'vitest';
import { editSimilarity, levenshteinDistances } from '../../../src/evaluation/metrics/editDistance.js';
import { identifierF1 } from '../../../src/evaluation/metrics/identifiers.js';
import { compared, scoresOf } from '../../../src/evaluation/metrics/scores.js';
import { positionWith } from './positionWith.js';

interface Pair {
  readonly suggestion: string;
  readonly truth: string;
  readonly ratio: number;
  readonly full: number;
  readonly optimal: number;
}
const { pairs } = JSON.parse(readFileSync('test/golden/completion.json', 'utf8')) as { pairs: readonly Pair[] };

test('edit similarity and both Levenshtein distances are those of rapidfuzz', () => {
  expect(pairs.length).toBeGreaterThan(60);
  for (const { suggestion, truth, ratio, full, optimal } of pairs) {
    expect(editSimilarity(suggestion, truth)).toBeCloseTo(ratio, 12);
    expect(levenshteinDistances(suggestion, truth)).toEqual({ full, optimal });
    expect(distance(suggestion, truth)).toBe(full);
  }
});

describe('identifier F1', () => {
  test.each([
    ['user.name + other', 'user.name', 4 / 5],
    ['"name in a string"', 'name', 0],
    ['if (x) return', 'while (x) return', 1],
    ['1 + 2', '3', 1],
    ['größe', 'größe2', 0],
  ])('of %j for %j is %d', (suggestion, truth, f1) => expect(identifierF1(suggestion, truth)).toBeCloseTo(f1, 12));
});

describe('a suggestion is compared up to the place where it returns to the text after the cursor', () => {
  const position = positionWith('add(', 'left, right', ');\n');
  test.each([
    [
      { text: 'left, right', replaced: 0 },
      { suggestion: 'left, right', truth: 'left, right' },
    ],
    [
      { text: 'left, right)', replaced: 1 },
      { suggestion: 'left, right', truth: 'left, right' },
    ],
    [
      { text: 'left) + (right', replaced: 1 },
      { suggestion: 'left) + (right', truth: 'left, right)' },
    ],
  ])('%j', (insertion, expected) => expect(compared(insertion, position)).toEqual(expected));
});

test('the scores of one suggestion', () => {
  const position = positionWith('const sum = ', 'left + right;', '\n');
  const scores = scoresOf({ text: 'left +  right;\nreturn sum;', replaced: 0, endedBy: 'rule', bits: 26 }, position);
  expect(scores).toMatchObject({
    exactMatch: 0,
    firstLine: 1,
    stopRate: 0,
    bitsPerByte: 2,
    fullLevenshtein: 13,
    optimalLevenshtein: 1,
  });
  const same = scoresOf({ text: 'left +\tright;', replaced: 0, endedBy: 'model', bits: 0 }, position);
  expect(same).toMatchObject({ exactMatch: 1, stopRate: 1, bitsPerByte: 0 });
});
