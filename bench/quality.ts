/**
 * What the precision of the base costs in quality: trains a real model on several bases, with the same data and seeds, and
 * measures the held-out loss of each adapter on the base it was trained on and on the fp32 base. Prints one line of JSON for each
 * seed and base. A Q4_1 file is used as it is by int4, without rounding. For that comparison the script therefore makes up an fp32
 * model that would have been rounded to it, each weight moved by up to half a step of its block.
 *   npx tsx bench/quality.ts --model SmolLM2-135M-Instruct.gguf [--only fp32,int8,…] [--steps 50] [--seeds 1,2,3]
 *       [--data FILE|FOLDER --eval-data FILE|FOLDER] [--learning-rate 1e-3]
 */
import { parseArgs } from 'node:util';
import { loadDataset, trainingData } from '../src/core/data/dataset.js';
import { linearNames } from '../src/core/models/linears.js';
import type { WeightStore } from '../src/core/models/weights.js';
import { elementCount } from '../src/core/shape.js';
import { initialLoraState } from '../src/core/train/loraInit.js';
import { meanLoss, runLoop } from '../src/core/train/loop.js';
import { hash32 } from '../src/core/random.js';
import { diskFiles } from '../src/files/dataFiles.js';
import { loadModel } from '../src/files/loadModel.js';
import { createEvaluator, createTrainer } from '../src/runtime/engine.js';
import type { EngineOptions } from '../src/runtime/engineOptions.js';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    steps: { type: 'string', default: '50' },
    only: { type: 'string', default: 'fp32,int4,moved-fp32,moved-int4' },
    threads: { type: 'string', default: '2' },
    seeds: { type: 'string', default: '1337' },
    data: { type: 'string', default: 'bench/data/qa.jsonl' },
    'eval-data': { type: 'string', default: 'bench/data/qa-heldout.jsonl' },
    'learning-rate': { type: 'string', default: '1e-3' },
    'batch-size': { type: 'string', default: '2' },
    'max-length': { type: 'string', default: '128' },
  },
});

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
  for (const seed of values.seeds.split(',').map(Number))
    for (const base of values.only.split(',')) console.log(JSON.stringify({ seed, base, ...(await train(bases[base]!, seed)) }));
}

async function train({ store, dtype }: (typeof bases)[string], seed: number): Promise<object> {
  const [batchSize, maxSequenceLength, totalSteps] = [values['batch-size'], values['max-length'], values.steps].map(Number) as [
    number,
    number,
    number,
  ];
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const source = { path: values.data, eval_path: values['eval-data'], format: 'auto' } as const;
  const fillInTheMiddle = { fim_rate: 0.5, fim_spm_rate: null, fim_loss: 'all' } as const;
  const dataset = loadDataset(
    { ...source, ...fillInTheMiddle, eval_fraction: 0, max_seq_length: maxSequenceLength, train_on_prompt: false, seed },
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
  const batch = { batchSize, sequenceLength: maxSequenceLength };
  const { runner } = await createTrainer({
    weights: store,
    lora,
    dropout: 0,
    initialState: initialLoraState(config, lora, seed),
    engine: engine(dtype),
    batch,
  });
  const losses: number[] = [];
  const evaluations: number[] = [];
  const schedule = { name: 'cosine', peak: Number(values['learning-rate']), warmupSteps: 5, totalSteps } as const;
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
  const { parameters } = await runner.exportState();
  await runner.dispose();
  const adapter = { lora, baseModel: null, parameters, isUniform: true };
  const exact = await createEvaluator({ weights: store, adapter, engine: engine('fp32'), batch });
  const onFloat32 = await meanLoss(exact, data.evaluation!, () => Promise.resolve());
  await exact.dispose();
  const last = losses.slice(-10);
  return {
    engine: runner.description,
    heldout_loss_before: evaluations[0],
    heldout_loss_after: evaluations.at(-1),
    heldout_loss_on_fp32: onFloat32,
    last_losses_mean: last.reduce((sum, loss) => sum + loss, 0) / last.length,
    losses,
  };
}

function engine(dtype: EngineOptions['base_dtype']): EngineOptions {
  return {
    device: 'cpu',
    base_dtype: dtype,
    threads: Number(values.threads),
    gradient_checkpointing: 'off',
    layer_streaming: 'off',
    memory_check: 'warn',
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
