import { expect, test } from 'vitest';
import { completionPrompt } from '../../../src/complete/context.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';

const middle = { prefixId: 1001, suffixId: 1002, middleId: 1003, endId: 1004 };

/** One id a character, so that the prompt can be read; 1 begins a text. */
function characters(fillInTheMiddle: Tokenizer['fillInTheMiddle']): Tokenizer {
  const encode: Tokenizer['encode'] = (text, options) => {
    const ids = [...text].map((character) => character.codePointAt(0)!);
    return Int32Array.from(options?.addSpecialTokens === false ? ids : [1, ...ids]);
  };
  return { encode, bosId: 1, fillInTheMiddle } as Tokenizer;
}
const read = (ids: readonly number[]) =>
  ids.map((id) => (id > 1000 ? `<${id}>` : id === 1 ? '^' : String.fromCodePoint(id))).join('');

test('with such tokens the model reads what stands before and behind the cursor, and an end of its own ends the text', () => {
  const { ids, endIds } = completionPrompt(characters(middle), { prefix: 'f(', suffix: ')\n' }, 100);
  expect(read(ids)).toBe('^<1001>f(<1002>)\n<1003>');
  expect(endIds).toEqual([1004]);
});

test('without such tokens, or with nothing behind the cursor, it reads what stands before', () => {
  expect(read(completionPrompt(characters(null), { prefix: 'f(', suffix: ')' }, 100).ids)).toBe('^f(');
  expect(read(completionPrompt(characters(middle), { prefix: 'f(', suffix: ' \n' }, 100).ids)).toBe('^f(');
});

test('what does not fit is furthest from the cursor, and the budget holds to the token', () => {
  const context = { prefix: `${'a'.repeat(400)}before`, suffix: `behind${'z'.repeat(400)}` };
  expect(read(completionPrompt(characters(middle), context, 44).ids)).toMatch(/^\^<1001>a{24}before<1002>behindzzzz<1003>$/);
  expect(read(completionPrompt(characters(null), context, 11).ids)).toBe('^aaaabefore');
  for (let budget = 1; budget < 60; budget++) {
    for (const tokenizer of [characters(middle), characters(null)]) {
      expect(completionPrompt(tokenizer, context, budget).ids).toHaveLength(budget);
    }
  }
});
