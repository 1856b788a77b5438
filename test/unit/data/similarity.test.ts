import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  copiedShares,
  jaccard,
  NearDuplicates,
  nearDuplicateSimilarity,
  nearDuplicateWords,
  wordRuns,
} from '../../../src/core/data/similarity.js';
import { Random } from '../../../src/core/random.js';

/** The definition itself, on sets of strings. */
function runsByDefinition(text: string, length: number): Set<string> {
  const words = text.match(/[A-Za-z0-9_\u0080-\uffff]+/g) ?? [];
  if (words.length === 0) return new Set();
  const count = Math.max(1, words.length - length + 1);
  return new Set(Array.from({ length: count }, (_, start) => words.slice(start, start + length).join(' ')));
}

function jaccardByDefinition(a: string, b: string): number {
  const [ofA, ofB] = [runsByDefinition(a, nearDuplicateWords), runsByDefinition(b, nearDuplicateWords)];
  const shared = [...ofA].filter((run) => ofB.has(run)).length;
  return shared / Math.max(1, ofA.size + ofB.size - shared);
}

const code = fc.array(fc.constantFrom('a', 'b', 'if', 'é', '_x1', '(', ')\n', ' ', '  ', '==', '7'), { maxLength: 80 });

test('the similarity of two texts is the Jaccard index of their sets of five-word runs', () => {
  fc.assert(
    fc.property(code, code, (left, right) => {
      const [a, b] = [left.join(' '), right.join('')];
      const [ofA, ofB] = [wordRuns(a, nearDuplicateWords), wordRuns(b, nearDuplicateWords)];
      expect(ofA.length).toBe(runsByDefinition(a, nearDuplicateWords).size);
      expect(jaccard(ofA, ofB)).toBeCloseTo(jaccardByDefinition(a, b), 12);
    }),
  );
});

test('of files with edits of every extent, MinHash finds those that brute force finds, and no others', () => {
  const random = new Random(7);
  const word = () => `w${random.uint32() % 5000}`;
  const originals = Array.from({ length: 60 }, () => Array.from({ length: 200 }, word));
  const edited = originals.flatMap((words, index) =>
    [0.005, 0.01, 0.02, 0.03, 0.05, 0.1].map((rate) => ({
      index,
      text: words.map((each) => (random.uniform() < rate ? word() : each)).join(' '),
    })),
  );
  const near = new NearDuplicates<number>();
  originals.forEach((words, index) => near.add(index, wordRuns(words.join(' '), nearDuplicateWords)));
  let [expected, found] = [0, 0];
  for (const { index, text } of edited) {
    const similarity = jaccardByDefinition(originals[index]!.join(' '), text);
    const answer = near.find(wordRuns(text, nearDuplicateWords));
    if (answer) {
      expect(answer.name).toBe(index);
      expect(answer.similarity).toBeCloseTo(similarity, 12);
      expect(similarity).toBeGreaterThanOrEqual(nearDuplicateSimilarity);
    }
    if (similarity >= nearDuplicateSimilarity) expected++;
    if (answer) found++;
  }
  expect(expected).toBeGreaterThan(100);
  expect(expected).toBeLessThan(edited.length - 100);
  expect(found / expected).toBeGreaterThan(0.99);
});

test('how much of a text is copied, and from where, counts runs of thirteen words', () => {
  const words = (prefix: string, count: number) => Array.from({ length: count }, (_, index) => `${prefix}${index}`).join(' ');
  const [own, source] = [words('own', 60), words('source', 100)];
  const [whole, half, none] = copiedShares([source, `${own} ${words('source', 60)}`, own], [words('other', 100), source]);
  expect(whole).toEqual({ share: 1, source: 1 });
  // 60 own and 60 copied words: 48 of the 108 runs are copied whole.
  expect(half).toEqual({ share: 48 / 108, source: 1 });
  expect(none).toEqual({ share: 0, source: -1 });
});
