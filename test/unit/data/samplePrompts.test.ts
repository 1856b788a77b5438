import { expect, test } from 'vitest';
import { ignoredLabel } from '../../../src/core/data/batch.js';
import { samplePrompts } from '../../../src/core/data/samplePrompts.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';

/** Ids are character codes. */
const tokenizer = { decode: (ids: Iterable<number>) => String.fromCharCode(...ids) } as unknown as Tokenizer;

/** The text that the loss counts is in brackets. */
function example(marked: string) {
  const inputIds: number[] = [];
  const labels: number[] = [];
  let isLearned = false;
  for (const character of marked) {
    if (character === '[' || character === ']') isLearned = character === '[';
    else {
      inputIds.push(character.charCodeAt(0));
      labels.push(isLearned ? character.charCodeAt(0) : ignoredLabel);
    }
  }
  return { inputIds: Int32Array.from(inputIds), labels: Int32Array.from(labels), origin: 'data:1' };
}

test('the prompt ends where the first answer begins', () => {
  const [single, conversation] = samplePrompts([example('2+2=[4.]'), example('hi[hello]more[bye]')], 2, tokenizer);
  expect(single).toEqual({ ids: [...'2+2='].map((c) => c.charCodeAt(0)), prompt: '2+2=', expected: '4.' });
  expect(conversation).toMatchObject({ prompt: 'hi', expected: 'hello' });
});

test('what is learned as a whole is cut at its half, a long text earlier', () => {
  const [short, long] = samplePrompts([example('[abcdef]'), example(`[${'x'.repeat(300)}]`)], 2, tokenizer);
  expect(short).toMatchObject({ prompt: 'abc', expected: 'def' });
  expect(long).toMatchObject({ prompt: 'x'.repeat(64), expected: 'x'.repeat(64) });
});

test('spread over the held-out examples, no more than there are, none where nothing is held out', () => {
  const heldOut = [...'abcdefghi'].map((letter) => example(`${letter}?[${letter}]`));
  expect(samplePrompts(heldOut, 3, tokenizer).map(({ expected }) => expected)).toEqual(['a', 'd', 'g']);
  expect(samplePrompts(heldOut.slice(0, 2), 3, tokenizer)).toHaveLength(2);
  expect(samplePrompts([], 3, tokenizer)).toEqual([]);
  expect(samplePrompts(heldOut, 0, tokenizer)).toEqual([]);
});
