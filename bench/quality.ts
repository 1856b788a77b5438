/**
 * What 4 bits cost in quality: trains a real model on fp32 and on int4, with the same data and seed. A Q4_1 file is used as it
 * is, without rounding. The script therefore makes up an fp32 model that would have been rounded to it, each weight moved by up
 * to half a step of its block. Prints one line of JSON for each base.
 *   npx tsx bench/quality.ts --model SmolLM2-135M-Instruct.gguf [--steps 50] [--only fp32,…]
 */
import { parseArgs } from 'node:util';
import { loadDataset, trainingData } from '../src/core/data/dataset.js';
import { linearNames } from '../src/core/models/linears.js';
import type { WeightStore } from '../src/core/models/weights.js';
import { elementCount } from '../src/core/shape.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { runLoop } from '../src/core/train/loop.js';
import { hash32 } from '../src/core/random.js';
import { diskFiles } from '../src/files/dataFiles.js';
import { loadModel } from '../src/files/loadModel.js';
import { createTrainer, type EngineOptions } from '../src/runtime/engine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    steps: { type: 'string', default: '50' },
    only: { type: 'string', default: 'fp32,int4,moved-fp32,moved-int4' },
    threads: { type: 'string', default: '2' },
    'batch-size': { type: 'string', default: '2' },
    'max-length': { type: 'string', default: '128' },
  },
});

const seed = 1337;
const { weights, tokenizer } = loadModel(values.model!);
const { config } = weights;

const bases: Record<string, { readonly store: WeightStore; readonly dtype: EngineOptions['base_dtype'] }> = {
  fp32: { store: weights, dtype: 'fp32' },
  int4: { store: weights, dtype: 'int4' },
  int8: { store: weights, dtype: 'int8' },
  'moved-fp32': { store: movedInFloat32(weights), dtype: 'fp32' },
  'moved-int4': { store: movedInFloat32(weights), dtype: 'int4' },
};

async function main(): Promise<void> {
  for (const name of values.only.split(',')) console.log(JSON.stringify({ base: name, ...(await train(bases[name]!)) }));
}

async function train({ store, dtype }: (typeof bases)[string]): Promise<object> {
  const [batchSize, maxSequenceLength, totalSteps] = [values['batch-size'], values['max-length'], values.steps].map(Number) as [
    number,
    number,
    number,
  ];
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const source = {
    path: 'bench/data/qa.jsonl',
    eval_path: 'bench/data/qa-heldout.jsonl',
    format: 'auto',
  } as const;
  const dataset = loadDataset(
    { ...source, eval_fraction: 0, max_seq_length: maxSequenceLength, train_on_prompt: false, seed },
    tokenizer,
    diskFiles,
    config,
  );
  const data = trainingData(dataset, {
    batchSize,
    maxSequenceLength,
    packing: false,
    shuffle: true,
    seed,
    padId: tokenizer.padId,
  });
  const { runner } = await createTrainer({
    weights: store,
    lora,
    dropout: 0,
    initialState: initialLoraState(config, lora, seed),
    engine: {
      device: 'cpu',
      base_dtype: dtype,
      threads: Number(values.threads),
      gradient_checkpointing: 'off',
      layer_streaming: 'off',
      memory_check: 'warn',
    },
    batch: { batchSize, sequenceLength: maxSequenceLength },
  });
  const losses: number[] = [];
  const evaluations: number[] = [];
  const schedule = { name: 'cosine', peak: 1e-3, warmupSteps: 5, totalSteps } as const;
  await runLoop(
    {
      schedule,
      accumulationSteps: 1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      maxGradNorm: 1,
      evalSteps: totalSteps,
      saveSteps: Infinity,
      loggingSteps: 1,
      patience: null,
      seed,
    },
    runner,
    data,
    {
      clock: () => performance.now() / 1000,
      command: () => Promise.resolve('run'),
      waitWhilePaused: () => Promise.resolve(),
      onStep: ({ loss }) => losses.push(loss),
      onEvaluation: (loss) => void evaluations.push(loss),
      saveCheckpoint: () => undefined,
    },
  );
  await runner.dispose();
  const last = losses.slice(-10);
  return {
    engine: runner.description,
    heldout_loss_before: evaluations[0],
    heldout_loss_after: evaluations.at(-1),
    last_losses_mean: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    losses,
  };
}

/** An fp32 model in which each weight of a linear lies within half a step of the file's value; a block spans 15 steps. */
function movedInFloat32(store: WeightStore): WeightStore {
  const readRows = (name: string, firstRow: number, into: Float32Array): void => {
    store.readRows(name, firstRow, into);
    if (name.includes('_proj')) move(into);
  };
  return {
    config: store.config,
    info: (name) => ({ ...store.info(name)!, storedType: 'F32' }),
    names: () => store.names(),
    readFloat32(name, into = new Float32Array(elementCount(store.info(name)!.shape))) {
      readRows(name, 0, into);
      return into;
    },
    readRows,
    readStoredRows: () => {
      throw new Error('these weights are decoded');
    },
    close: () => store.close(),
  };
}

/** Independent of how the rows are read: how far a weight moves depends only on its value and its place in the block. */
function move(values: Float32Array): void {
  for (let start = 0; start < values.length; start += 32) {
    const block = values.subarray(start, start + 32);
    const step = (Math.max(...block) - Math.min(...block)) / 15;
    block.forEach((value, i) => (block[i] = value + step * (hash32(i, Math.round(value * 2 ** 30)) / 2 ** 32 - 0.5)));
  }
}

void main();
