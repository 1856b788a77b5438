/**
 * @file What the precision of the weights costs in generation: how far the next-token distributions on this repository's files are
 * from those of the same model in fp32, and how fast prompts are read.
 *   npx tsx bench/decodePrecision.ts --model FILE.gguf [--only stored,integers,int8,int4] [--files src/core/graph/lower.ts,…]
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { DecodePrecision } from '../src/core/models/matrixForm.js';
import { loadModel } from '../src/files/loadModel.js';
import { loadTextModel } from '../src/runtime/engine.js';
import { median } from './median.mjs';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    only: { type: 'string', default: 'stored,integers' },
    files: {
      type: 'string',
      default:
        'src/core/graph/lower.ts,src/runtime/decoder.ts,src/core/data/middles.ts,src/protocol/guard.ts,README.md,docs/architecture.md',
    },
  },
});
/** Prompts end at each of these tokens of a file; the last ones are timed. */
const lengths = Array.from({ length: 16 }, (_, index) => 16 * (index + 1));

async function main(): Promise<void> {
  const { weights, tokenizer } = loadModel(values.model!);
  const texts = values.files.split(',').map((file) => [...tokenizer.encode(readFileSync(file, 'utf8')).slice(0, 257)]);

  const logitsOf = async (dtype: DecodePrecision) => {
    const model = await loadTextModel(weights, { device: 'cpu', threads: null, base_dtype: dtype });
    const logits: Float32Array[] = [];
    const seconds: number[] = [];
    for (const ids of texts) {
      for (const length of lengths) {
        const started = performance.now();
        logits.push(await model.logits(ids.slice(0, length), null, 1));
        if (length === lengths.at(-1)) seconds.push((performance.now() - started) / 1000);
      }
    }
    await model.dispose();
    return { distributions: logits.map(logSoftmax), tokensPerSecond: lengths.at(-1)! / median(seconds) };
  };

  const labels = texts.flatMap((ids) => lengths.map((length) => ids[length]!));
  const loss = (distributions: readonly Float64Array[]) => mean(distributions.map((each, at) => -each[labels[at]!]!));
  const exact = await logitsOf('fp32');
  console.log('| | loss | divergence from fp32 | prompt tokens/s |\n| --- | ---: | ---: | ---: |');
  console.log(`| fp32 | ${loss(exact.distributions).toFixed(4)} | | ${exact.tokensPerSecond.toFixed(0)} |`);
  for (const dtype of values.only.split(',') as DecodePrecision[]) {
    const { distributions, tokensPerSecond } = await logitsOf(dtype);
    const divergence = mean(distributions.map((each, at) => klDivergence(exact.distributions[at]!, each)));
    console.log(`| ${dtype} | ${loss(distributions).toFixed(4)} | ${divergence.toFixed(5)} | ${tokensPerSecond.toFixed(0)} |`);
  }
  weights.close();
}

function logSoftmax(logits: Float32Array): Float64Array {
  const largest = logits.reduce((max, value) => Math.max(max, value), -Infinity);
  const sum = logits.reduce((total, value) => total + Math.exp(value - largest), 0);
  return Float64Array.from(logits, (value) => value - largest - Math.log(sum));
}

function klDivergence(reference: Float64Array, other: Float64Array): number {
  return reference.reduce((sum, value, id) => sum + Math.exp(value) * (value - other[id]!), 0);
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
}

void main();
