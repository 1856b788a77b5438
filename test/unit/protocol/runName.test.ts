import { expect, test } from 'vitest';
import { runName } from '../../../src/protocol/runName.js';

const named = (path: string, model: string) =>
  runName({ data: { path }, model, lora: { r: 16 } } as Parameters<typeof runName>[0]);

test('a run is named by data, model and rank', () => {
  expect(named('/home/ada/qa.jsonl', '/models/SmolLM2-135M.gguf')).toBe('qa · SmolLM2-135M · r16');
});

test('kind and quantization of a model are left out', () => {
  expect(named('qa.jsonl', '/models/SmolLM2-135M-Instruct.gguf')).toBe('qa · SmolLM2-135M · r16');
  expect(named('qa.jsonl', '/models/Qwen2.5-Coder-0.5B-Instruct.Q4_K_M.gguf')).toBe('qa · Qwen2.5-Coder-0.5B · r16');
  expect(named('qa.jsonl', '/models/gemma-3-270m-it-BF16')).toBe('qa · gemma-3-270m · r16');
  expect(named('qa.jsonl', '/models/Base')).toBe('qa · Base · r16');
});

test('folders, paths of Windows, and endings that are part of a name', () => {
  expect(named('/home/ada/project/src/', '/models/Llama-3.2-1B')).toBe('src · Llama-3.2-1B · r16');
  expect(named('C:\\work\\a.train.jsonl', 'C:\\models\\tiny')).toBe('a.train · tiny · r16');
});

test('a data set of the hub, whatever of it is meant', () => {
  for (const path of ['ada/poems', 'ada/poems@v2', 'ada/poems:main/train']) expect(named(path, 'm')).toBe('poems · m · r16');
  expect(named('/data/table.parquet', 'm')).toBe('table · m · r16');
});
