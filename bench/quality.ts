/**
 * What 4 bits cost in quality: the same training of a real model, same data and seed, on fp32, on the file's own blocks, and on
 * weights rounded anew to Q4_0, as those of a model stored in fp32 would be. Prints one line of JSON for each.
 *   npx tsx bench/quality.ts --model SmolLM2-135M-Instruct.gguf [--steps 50] [--only fp32,…]
 */
import { parseArgs } from 'node:util';
import { loadModel } from '../src/complete/loadedModel.js';
import { loadDataset, trainingData } from '../src/core/data/dataset.js';
import { linearNames, type WeightStore } from '../src/core/llama/weights.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { runLoop } from '../src/core/train/loop.js';
import { diskFiles } from '../src/files/dataFiles.js';
import { createTrainer, type EngineOptions } from '../src/runtime/engine.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    steps: { type: 'string', default: '50' },
    only: { type: 'string', default: 'fp32,int4,int4-rounded' },
    threads: { type: 'string', default: '2' },
    'batch-size': { type: 'string', default: '2' },
    'max-length': { type: 'string', default: '128' },
  },
});

const seed = 1337;
const { weights, tokens } = loadModel(values.model!);
const { config } = weights;

const bases: Record<string, { readonly store: WeightStore; readonly dtype: EngineOptions['base_dtype'] }> = {
  fp32: { store: weights, dtype: 'fp32' },
  int4: { store: weights, dtype: 'int4' },
  'int4-rounded': { store: storedInFloat32(weights), dtype: 'int4' },
};

async function main(): Promise<void> {
  for (const name of values.only.split(',')) console.log(JSON.stringify({ base: name, ...(await train(bases[name]!)) }));
}

async function train({ store, dtype }: (typeof bases)[string]): Promise<object> {
  const [batchSize, maxSequenceLength, totalSteps] = [values['batch-size'], values['max-length'], values.steps].map(Number) as [number, number, number];
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const source = { path: 'examples/lora-workbench-qa.jsonl', eval_path: 'examples/lora-workbench-qa-heldout.jsonl', format: 'auto' } as const;
  const dataset = loadDataset({ ...source, eval_fraction: 0, max_seq_length: maxSequenceLength, train_on_prompt: false, seed }, tokens, diskFiles, config);
  const data = trainingData(dataset, { batchSize, maxSequenceLength, packing: false, shuffle: true, seed, padId: tokens.padId });
  const { runner } = await createTrainer({
    weights: store,
    lora,
    dropout: 0,
    initialState: initialLoraState(config, lora, seed),
    engine: { device: 'cpu', base_dtype: dtype, threads: Number(values.threads), gradient_checkpointing: 'off', layer_streaming: 'off', memory_check: 'warn' },
    batch: { batchSize, sequenceLength: maxSequenceLength },
  });
  const losses: number[] = [];
  const evaluations: number[] = [];
  const schedule = { name: 'cosine', peak: 1e-3, warmupSteps: 5, totalSteps } as const;
  await runLoop(
    { schedule, accumulationSteps: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradNorm: 1, evalSteps: totalSteps, saveSteps: Infinity, loggingSteps: 1, patience: null, seed },
    runner,
    data,
    {
      clock: () => performance.now() / 1000,
      command: () => Promise.resolve('run'),
      waitWhilePaused: () => Promise.resolve(),
      onStep: ({ loss }) => losses.push(loss),
      onEvaluation: (loss) => evaluations.push(loss),
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

/** The same weights, decoded whenever they are read. */
function storedInFloat32(store: WeightStore): WeightStore {
  return {
    config: store.config,
    info: (name) => ({ ...store.info(name)!, storedType: 'F32' }),
    names: () => store.names(),
    readFloat32: (name, into) => store.readFloat32(name, into),
    readRows: (name, firstRow, into) => store.readRows(name, firstRow, into),
    readStored: () => {
      throw new Error('these weights are decoded');
    },
    close: () => store.close(),
  };
}

void main();
