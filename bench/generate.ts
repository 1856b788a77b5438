/**
 * Greedy generation by this project's engine, on the SmolLM2-135M shape with random weights or on a model file. Prints one line
 * of JSON with the keys of transformers_generate.py. Run by run.mjs. Options: --model PATH
 * --dtype fp32|stored|integers|int8|int4 --threads N --rounds N --unsaved
 */
import { parseArgs } from 'node:util';
import { greedy } from '../src/core/generate/sampling.js';
import { openModel } from '../src/files/openModel.js';
import { savedSessionsOf } from '../src/files/savedSessions.js';
import { loadTextModel } from '../src/runtime/engine.js';
import type { DecodePrecision } from '../src/core/models/matrixForm.js';
import { median } from './median.mjs';
import { randomWeights, smolLm2 } from './shapes.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    dtype: { type: 'string', default: 'int8' },
    threads: { type: 'string', default: '2' },
    rounds: { type: 'string', default: '3' },
    'prompt-tokens': { type: 'string', default: '128' },
    'new-tokens': { type: 'string', default: '64' },
    /** Makes the session each time. */
    unsaved: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const [promptTokens, newTokens] = [Number(values['prompt-tokens']), Number(values['new-tokens'])];
  const engine = { device: 'cpu', threads: Number(values.threads), base_dtype: values.dtype as DecodePrecision } as const;
  const started = performance.now();
  const stored = values.model ? openModel(values.model) : null;
  const model = await loadTextModel(
    stored?.weights ?? randomWeights(smolLm2),
    engine,
    stored && !values.unsaved ? { saved: savedSessionsOf(stored.path) } : {},
  );
  const loadSeconds = (performance.now() - started) / 1000;
  const first: number[] = [];
  const perToken: number[] = [];
  const processorPerRound: number[] = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    // A different prompt each time, so that nothing is found in the cache.
    const promptIds = Array.from({ length: promptTokens }, (_, i) => (i * 7919 + round * 104729 + 1) % smolLm2.vocabSize);
    const usageBefore = process.cpuUsage();
    const result = await model.generate(
      { promptIds, adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: newTokens, endIds: [] },
      () => undefined,
    );
    if (round === 0) continue; // warm-up
    const { user, system } = process.cpuUsage(usageBefore);
    processorPerRound.push((user + system) / 1e6);
    first.push(result.promptSeconds);
    perToken.push(result.decodeSeconds / (newTokens - 1));
  }
  const result = {
    load_seconds: loadSeconds,
    prefill_tokens_per_second: promptTokens / median(first),
    decode_tokens_per_second: 1 / median(perToken),
    first_token_seconds: median(first),
    // Covers the prompt and the new tokens. With one thread, a busy machine affects this figure least.
    processor_seconds: processorPerRound,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    engine: model.description,
  };
  console.log(JSON.stringify(result));
}

void main();
