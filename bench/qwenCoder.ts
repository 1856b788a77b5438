/**
 * Our side of qwenCoder.mjs. Prints one line of JSON: the path of the model, each prompt's ids and greedy output in fp32, the
 * ghost text that the model gives in a TypeScript file, and how long that took.
 */
import { complete } from '../src/complete/complete.js';
import { greedy } from '../src/core/generate/sampling.js';
import { recognizeFillInTheMiddle } from '../src/core/tokenizer/fillInTheMiddle.js';
import { fillInTheMiddlePrompt } from '../src/core/tokenizer/fillInTheMiddlePrompt.js';
import { loadModel } from '../src/files/loadModel.js';
import { loadTextModel } from '../src/runtime/engine.js';
import { fetchQwenCoder } from './qwenCoderModel.js';

const newTokens = 64;
const texts = [
  'def fibonacci(n: int) -> int:\n',
  'export function debounce<T>(callback: (value: T) => void, ms: number) {\n',
  '# How to reverse a linked list\n\n',
  'SELECT name, COUNT(*) FROM orders\n',
  'The three primary colours are',
  '<script setup lang="ts">\nimport { ref } from \'vue\';\n',
];
const middles = [
  { prefix: 'def add(a, b):\n    return ', suffix: '\n\nprint(add(1, 2))\n' },
  { prefix: 'const total = items.reduce((sum, item) => ', suffix: ', 0);\nconsole.log(total);\n' },
  { prefix: 'package main\n\nfunc main() {\n\t', suffix: '\n}\n', file: 'main.go', repository: 'hello' },
  { prefix: 'for (let i = 0; i < ', suffix: '; i++) {\n  console.log(list[i]);\n}\n' },
];
const places = [
  {
    prefix:
      'interface User {\n  id: number;\n  name: string;\n}\n\nexport function byName(users: User[], name: string) {\n  return ',
    suffix: '\n}\n',
  },
  { prefix: 'export function isEven(n: number): boolean {\n  ', suffix: '\n}\n' },
  { prefix: 'const response = await fetch(url);\nif (!response.ok) {\n  ', suffix: '\n}\nreturn response.json();\n' },
];

async function main(): Promise<void> {
  const path = await fetchQwenCoder();
  const { weights, tokenizer } = loadModel(path);
  const format = recognizeFillInTheMiddle(tokenizer)!;
  const prompts = [
    ...texts.map((text) => ({ text, ids: [...tokenizer.encode(text, { addSpecialTokens: false })] })),
    ...middles.map((parts) => ({ text: null, ids: [...fillInTheMiddlePrompt(format, tokenizer, parts)!] })),
  ];
  const exact = await loadTextModel(weights, { device: 'cpu', threads: null, base_dtype: 'fp32' });
  const written: number[][] = [];
  for (const { ids } of prompts) {
    const request = { promptIds: ids, adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: newTokens, endIds: [] };
    written.push([...(await exact.generate(request, () => undefined)).ids]);
  }
  await exact.dispose();

  const fast = await loadTextModel(weights, { device: 'cpu', threads: null, base_dtype: 'auto' });
  const suggestions: { prefix: string; text: string; milliseconds: number }[] = [];
  for (const place of places) {
    const began = performance.now();
    const request = {
      model: fast,
      tokenizer,
      format,
      adapter: null,
      adapterStrength: 1,
      mode: 'auto',
      maxNewTokens: 48,
    } as const;
    const { text } = await complete({ ...request, ...place }, new AbortController().signal);
    suggestions.push({ prefix: place.prefix, text, milliseconds: performance.now() - began });
  }
  await fast.dispose();
  console.log(JSON.stringify({ path, newTokens, format: format.name, prompts, written, suggestions, engine: fast.description }));
}

void main();
