import { afterAll, beforeAll, expect, test } from 'vitest';
import { complete } from '../../../src/complete/complete.js';
import type { GenerateResult, TextModel } from '../../../src/core/generate/textModel.js';
import { loadModel, type LoadedModel } from '../../../src/files/loadModel.js';
import { loadTextModel } from '../../../src/runtime/engine.js';

let loaded: LoadedModel;
let model: TextModel;
beforeAll(async () => {
  loaded = loadModel('test/fixtures/models/tiny-llama');
  model = await loadTextModel(loaded.weights, { device: 'cpu', base_dtype: 'fp32', threads: 1 });
});
afterAll(async () => {
  await model?.dispose();
  loaded?.weights.close();
});

const signature = 'def add(left: int, right: int) -> int:';
const body = '\n    return left + right';

async function suggest(prefix: string, signal = new AbortController().signal): Promise<string> {
  const settings = { adapter: null, adapterStrength: 1, format: null, mode: 'line', maxNewTokens: 24 } as const;
  return (await complete({ ...settings, model, tokenizer: loaded.tokenizer, prefix, suffix: '' }, signal)).text;
}

test('wherever in the line the cursor stands, also amid blanks and words, the line that the model knows is finished', async () => {
  for (let typed = 0; typed < body.length; typed++) {
    const prefix = signature + body.slice(0, typed);
    expect(prefix + (await suggest(prefix))).toBe((signature + body).trimEnd());
  }
});

test('what is typed otherwise than the model would write stays as it is', async () => {
  expect(await suggest(`${signature}\n\n\n    `)).toBe('return left + right');
});

test('at the next key the model reads only what is new', async () => {
  const results: GenerateResult[] = [];
  const watched: TextModel = {
    description: model.description,
    contextLength: model.contextLength,
    logits: (...request) => model.logits(...request),
    logprobs: (...request) => model.logprobs(...request),
    dispose: () => model.dispose(),
    async generate(request, onToken) {
      const result = await model.generate(request, onToken);
      results.push(result);
      return result;
    },
  };
  const settings = { adapter: null, adapterStrength: 1, format: null, mode: 'line', maxNewTokens: 8, suffix: '' } as const;
  const prompt = `# ${'A long beginning that stays. '.repeat(8)}\n${signature}`;
  const signal = new AbortController().signal;
  for (const typed of ['', '\n', '\n    re']) {
    await complete({ ...settings, model: watched, tokenizer: loaded.tokenizer, prefix: prompt + typed }, signal);
  }
  const length = loaded.tokenizer.encode(prompt).length;
  // The last token is always read again, because its logits are needed.
  expect(results.length).toBeGreaterThanOrEqual(3);
  for (const { reusedTokens } of results.slice(1)) expect(reusedTokens).toBeGreaterThanOrEqual(length - 2);
});

test('a cancelled suggestion is none', async () => {
  const cancelled = new AbortController();
  cancelled.abort();
  expect(await suggest(signature, cancelled.signal)).toBe('');
});
