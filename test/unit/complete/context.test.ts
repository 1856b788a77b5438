import { expect, test } from 'vitest';
import { completionPrompt } from '../../../src/complete/context.js';
import { recognizeFillInTheMiddle } from '../../../src/core/tokenizer/fillInTheMiddle.js';
import { vocabularyWith } from '../tokenizer/vocabulary.js';

const qwen = ['<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|repo_name|>', '<|file_sep|>'];
const { tokenizer, spell } = vocabularyWith('llama3', qwen);
const format = recognizeFillInTheMiddle(tokenizer);

test('the model reads what stands before and behind the cursor, and where the file lies', () => {
  const cursor = { prefix: 'f(', suffix: ')\n', file: 'src/f.py', repository: 'adder' };
  expect(spell(completionPrompt(tokenizer, format, cursor, 100))).toBe(
    '<s><|repo_name|>adderĊ<|file_sep|>src/f.pyĊ<|fim_prefix|>f(<|fim_suffix|>)Ċ<|fim_middle|>',
  );
});

test('without a format, or with nothing behind the cursor, it reads what stands before', () => {
  expect(spell(completionPrompt(tokenizer, null, { prefix: 'f(', suffix: ')' }, 100))).toBe('<s>f(');
  expect(spell(completionPrompt(tokenizer, format, { prefix: 'f(', suffix: ' \n', file: 'f.py' }, 100))).toBe('<s>f(');
});

test('in a document that speaks of tokens they are text', () => {
  const ids = completionPrompt(tokenizer, format, { prefix: '<s>old</s> <|fim_middle|>', suffix: '' }, 100);
  expect(ids.slice(1).filter((id) => [1, 2, tokenizer.tokenId('<|fim_middle|>')].includes(id))).toEqual([]);
  expect(tokenizer.decode(ids.slice(1))).toBe('<s>old</s> <|fim_middle|>');
});

test('what does not fit is furthest from the cursor, and the budget holds to the token', () => {
  const cursor = { prefix: `${'1 2 3 4 '.repeat(100)}before`, suffix: `behind${' 5 6 7 8'.repeat(100)}`, file: 'f.py' };
  const prompt = spell(completionPrompt(tokenizer, format, cursor, 44));
  expect(prompt).toMatch(/^<s><\|file_sep\|>f\.pyĊ<\|fim_prefix\|>.*4Ġbefore<\|fim_suffix\|>behindĠ5Ġ6.*<\|fim_middle\|>$/);
  expect(spell(completionPrompt(tokenizer, null, cursor, 11))).toMatch(/^<s>[^b]*4Ġbefore$/);
  for (let budget = 1; budget < 60; budget++) {
    for (const each of [format, null]) {
      expect(completionPrompt(tokenizer, each, cursor, budget).length).toBeLessThanOrEqual(budget);
    }
  }
});
