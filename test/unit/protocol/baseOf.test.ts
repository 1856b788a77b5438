import { expect, test } from 'vitest';
import { baseOf } from '../../../src/protocol/baseOf.js';
import { adapters, models } from '../../webview/harness/scenes.js';

const [gguf, folder] = models;
const base = (baseModel: string) => baseOf({ ...adapters[0]!, baseModel }, models);

test('the base of an adapter is found by its path, its file name, its name, and the name it has on the Hub', () => {
  expect(base('/models/Llama-3.2-1B')).toBe(folder);
  expect(base('/elsewhere/SmolLM2-135M-Instruct.gguf')).toBe(gguf);
  expect(base('Llama-3.2-1B')).toBe(folder);
  expect(base('HuggingFaceTB/SmolLM2-135M-Instruct')).toBe(gguf);
  expect(base('C:\\models\\Llama-3.2-1B\\')).toBe(folder);
  expect(base('Llama-3.2-3B')).toBeUndefined();
  expect(base('')).toBeUndefined();
});

test('of two with the same name, the one at the path of the adapter is the base', () => {
  const copy = { ...folder!, path: '/copies/Llama-3.2-1B' };
  expect(baseOf({ ...adapters[0]!, baseModel: copy.path }, [...models, copy])).toBe(copy);
});
