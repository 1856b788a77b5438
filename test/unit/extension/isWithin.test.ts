import { expect, test } from 'vitest';
import { isWithin } from '../../../src/extension/isWithin.js';

test.each([
  ['/models', '/models', true],
  ['/models/', '/models', true],
  ['/models/llama/1b', '/models', true],
  ['/models/llama', '/models/', true],
  ['/models/..llama', '/models', true],
  ['/models-2/llama', '/models', false],
  ['/models', '/models/llama', false],
  ['/other', '/models', false],
  ['/models', '/', true],
])('%s in %s: %s', (path, folder, expected) => {
  expect(isWithin(path, folder)).toBe(expected);
});
