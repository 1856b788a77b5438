import { describe, expect, it } from 'vitest';
import { isRight } from '../../../src/cli/demo/question.js';
import { resultOf } from '../../../src/cli/demo/result.js';

const settings = '{"lora":{"r":16,"target_modules":["up_proj","down_proj"]},"train":{"learning_rate":1e-4}}';
const question = { sentence: 'rank sixteen', settings };

describe('an answer is right', () => {
  it.each([
    ['as expected', settings],
    ['with spaces', JSON.stringify(JSON.parse(settings), null, 2)],
    [
      'with its keys in another order',
      '{"train":{"learning_rate":1e-4},"lora":{"target_modules":["up_proj","down_proj"],"r":16}}',
    ],
    ['with a number written otherwise', settings.replace('1e-4', '0.00010').replace('16', '1.6e1')],
  ])('%s', (_, answer) => {
    expect(isRight(answer, question)).toBe(true);
  });
});

describe('an answer is wrong', () => {
  it.each([
    ['with another value', settings.replace('16', '8')],
    ['with a value of another type', settings.replace('16', '"16"')],
    ['with a setting too many', settings.replace('"r":16', '"r":16,"alpha":32')],
    ['without a setting', settings.replace(',"train":{"learning_rate":1e-4}', '')],
    ['with an empty section too many', settings.replace('"train"', '"data":{},"train"')],
    [
      'with a setting in the wrong section',
      '{"lora":{"r":16},"train":{"target_modules":["up_proj","down_proj"],"learning_rate":1e-4}}',
    ],
    ['with a list in another order', settings.replace('"up_proj","down_proj"', '"down_proj","up_proj"')],
    ['that is cut off', settings.slice(0, -1)],
    ['with words around it', `Here you are: ${settings}`],
    ['twice over', `${settings}${settings}`],
    ['in words', 'Set the rank to 16.'],
    ['that is empty', ''],
    ['that is null', 'null'],
  ])('%s', (_, answer) => {
    expect(isRight(answer, question)).toBe(false);
  });
});

it('counts right answers for each side', () => {
  const answered = (base: boolean, adapter: boolean) => ({
    ...question,
    base: { text: '', right: base },
    adapter: { text: '', right: adapter },
  });
  const result = resultOf([answered(false, true), answered(true, true), answered(false, false)], { base: 2, adapter: 1 });
  expect(result.right).toEqual({ base: 1, adapter: 2 });
});
