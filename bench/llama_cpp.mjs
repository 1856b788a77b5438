// Run by run.mjs: llama.cpp on the CPU, through node-llama-cpp. Prints one line of JSON with the keys of generate.ts or
// suggest.ts.
//   node bench/llama_cpp.mjs --model FILE.gguf [--threads N] [--rounds N] [--prompt-tokens N] [--new-tokens N] [--suggest]
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { importLlamaCpp, llamaCppVersion } from '../test/judge/llamaCpp.mjs';
import { median } from './median.mjs';

async function main() {
  const { values } = parseArgs({
    options: {
      model: { type: 'string' },
      threads: { type: 'string', default: '2' },
      rounds: { type: 'string', default: '5' },
      'prompt-tokens': { type: 'string', default: '128' },
      'new-tokens': { type: 'string', default: '64' },
      suggest: { type: 'boolean', default: false },
    },
  });
  const threads = Number(values.threads);
  const newTokens = values.suggest ? 16 : Number(values['new-tokens']);
  const contextTokens = values.suggest ? 512 : Number(values['prompt-tokens']);
  const { getLlama } = await importLlamaCpp();
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: threads, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath: values.model });
  const context = await model.createContext({ contextSize: 1024, threads, batchSize: 512 });
  const sequence = context.getSequence();

  const first = [];
  const perToken = [];
  const processorPerRound = [];
  let cached = [];
  for (let round = 0; round <= Number(values.rounds); round++) {
    const fresh = (length, seed) => Array.from({ length }, (_, i) => ((i * 7919 + seed * 104729 + 1) % 48000) + 100);
    let prompt = fresh(contextTokens, round);
    if (values.suggest) {
      // What a keystroke adds to a context that has already been read.
      cached = cached.length ? cached : fresh(contextTokens, 0);
      const addition = fresh(2, round + 1);
      await sequence.eraseContextTokenRanges([{ start: cached.length, end: sequence.nextTokenIndex }]);
      if (sequence.nextTokenIndex === 0) await sequence.evaluateWithoutGeneratingNewTokens(cached);
      prompt = addition;
    } else await sequence.clearHistory();
    const [started, usageBefore] = [performance.now(), process.cpuUsage()];
    const times = [];
    const tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
    while (times.length < newTokens && !(await tokens.next()).done) times.push(performance.now());
    await tokens.return();
    if (round === 0) continue; // warm-up
    const { user, system } = process.cpuUsage(usageBefore);
    processorPerRound.push((user + system) / 1e6);
    first.push((times[0] - started) / 1000);
    perToken.push((times.at(-1) - times[0]) / 1000 / (newTokens - 1));
  }
  const result = {
    prefill_tokens_per_second: contextTokens / median(first),
    decode_tokens_per_second: 1 / median(perToken),
    first_token_seconds: median(first),
    first_suggestion_seconds: median(first),
    processor_seconds: processorPerRound,
    peak_rss_bytes: process.resourceUsage().maxRSS * 1024,
    engine: `llama.cpp (node-llama-cpp ${llamaCppVersion}), ${threads} threads`,
  };
  console.log(JSON.stringify(result));
  process.exit(0);
}

await main();
