/**
 * Inline completion as an editor requests it: after each keystroke, with 512 tokens of context, all but the last of which are in
 * the cache. Prints one line of JSON. Run by run.mjs. Options: --model FILE.gguf --dtype int8|int4 --threads N --keys N
 *
 * first_suggestion_seconds   median time from a keystroke to the first token of its suggestion
 * line_seconds               median time from a keystroke to its whole one-line suggestion
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { complete } from '../src/complete/complete.js';
import type { DecodePrecision } from '../src/core/models/matrixForm.js';
import type { GenerateResult, TextModel } from '../src/core/generate/textModel.js';
import { loadModel } from '../src/files/loadModel.js';
import { savedSessionsOf } from '../src/files/savedSessions.js';
import { loadTextModel } from '../src/runtime/engine.js';
import { median } from './median.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    dtype: { type: 'string', default: 'int8' },
    threads: { type: 'string', default: '2' },
    keys: { type: 'string', default: '40' },
  },
});
const contextTokens = 512;

async function main(): Promise<void> {
  const stored = loadModel(values.model!);
  const { weights, tokenizer } = stored;
  const engine = { device: 'cpu', threads: Number(values.threads), base_dtype: values.dtype as DecodePrecision } as const;
  const model = await loadTextModel(weights, engine, { saved: savedSessionsOf(stored.path) });
  const source = readFileSync('src/core/graph/builder.ts', 'utf8');
  const start = tokenizer.decode(tokenizer.encode(source).slice(0, contextTokens)).length;

  const results: GenerateResult[] = [];
  const observed: TextModel = {
    ...bound(model),
    generate: async (request, onToken) => {
      const result = await model.generate(request, onToken);
      results.push(result);
      return result;
    },
  };
  const lines: number[] = [];
  for (let key = 0; key <= Number(values.keys); key++) {
    const asked = performance.now();
    const settings = { adapter: null, adapterStrength: 1, format: null, mode: 'line', maxNewTokens: 24 } as const;
    const request = { ...settings, model: observed, tokenizer };
    await complete({ ...request, prefix: source.slice(0, start + key), suffix: '' }, new AbortController().signal);
    lines.push((performance.now() - asked) / 1000);
  }
  const warm = results.slice(1); // the first call reads the whole context
  const written = warm.filter(({ ids }) => ids.length > 1);
  const result = {
    first_suggestion_seconds: median(warm.map(({ promptSeconds }) => promptSeconds)),
    line_seconds: median(lines.slice(1)),
    decode_tokens_per_second: median(written.map(({ ids, decodeSeconds }) => (ids.length - 1) / decodeSeconds)),
    reused_tokens: median(warm.map(({ reusedTokens }) => reusedTokens)),
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    engine: model.description,
  };
  console.log(JSON.stringify(result));
}

/** The model's members, bound: they live on its class, so a spread would miss them. */
function bound(model: TextModel): TextModel {
  return {
    description: model.description,
    contextLength: model.contextLength,
    generate: model.generate.bind(model),
    logits: model.logits.bind(model),
    logprobs: model.logprobs.bind(model),
    dispose: model.dispose.bind(model),
  };
}

void main();
