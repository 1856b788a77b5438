import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Example } from '../../../src/core/data/batch.js';
import { batchesForEpoch } from '../../../src/core/data/batches.js';
import { loadDataset, trainingData } from '../../../src/core/data/dataset.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { runLoop, type LoopPorts, type StepResult } from '../../../src/core/train/loop.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { diskFiles } from '../../../src/files/dataFiles.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import type { DeviceTensor, Executable } from '../../../src/runtime/device.js';
import { batchOf } from '../../support/batches.js';
import { expectClose } from '../../support/tensors.js';
import { createTrainer, expectParametersClose, takeGradients } from '../../support/trainer.js';

/** Made by test/golden/make_training.py from PEFT and torch.optim.AdamW. */
interface Golden {
  readonly train: Record<
    | 'max_steps'
    | 'batch_size'
    | 'gradient_accumulation_steps'
    | 'max_seq_length'
    | 'learning_rate'
    | 'warmup_steps'
    | 'weight_decay'
    | 'adam_beta1'
    | 'adam_beta2'
    | 'adam_epsilon'
    | 'max_grad_norm',
    number
  >;
  readonly steps: readonly Record<'loss' | 'grad_norm' | 'learning_rate', number>[];
}

const file = (name: string): string => `test/golden/training/${name}`;
// Rows of ids need no tokenizer of their own; any will do to pad short ones.
const tokenizer = readTokenizerFolder('test/fixtures/models/tiny-llama');

function examplesOf(model: string, { max_seq_length }: Golden['train']): readonly Example[] {
  const config = {
    path: file(`${model}.jsonl`),
    format: 'tokens',
    eval_path: null,
    eval_fraction: 0,
    max_seq_length,
    train_on_prompt: false,
    seed: 0,
  } as const;
  const { vocabSize } = openModel(`test/fixtures/models/${model}`).weights.config;
  return loadDataset(config, tokenizer, diskFiles, { vocabSize }).training;
}

const models = [
  'tiny-llama',
  'gqa-tied',
  'llama3-rope',
  'linear-rope-biases',
  'mqa-f16',
  'yarn-rope',
  'qwen2',
  'qwen3',
  'mistral',
  'smollm3',
  'gemma3',
];

test.each(models)('twenty steps on %s are those of PEFT', async (model) => {
  const { train, steps } = JSON.parse(readFileSync(file(`${model}.json`), 'utf8')) as Golden;
  const options = {
    batchSize: train.batch_size,
    maxSequenceLength: train.max_seq_length,
    packing: false,
    shuffle: false,
    seed: 0,
    padId: tokenizer.padId,
  };
  const data = trainingData({ training: examplesOf(model, train), evaluation: [] }, options);
  const runner = await createTrainer(model, readAdapterFolder(file(`${model}-initial`)));
  const results: StepResult[] = [];
  const ports: LoopPorts = {
    clock: () => 0,
    command: () => Promise.resolve('run'),
    waitWhilePaused: () => Promise.reject(new Error('nobody paused')),
    onStep: (result) => void results.push(result),
    onEvaluation: () => expect.fail('nothing is held out'),
    saveCheckpoint: () => undefined,
  };
  await runLoop(
    {
      schedule: { name: 'cosine', peak: train.learning_rate, warmupSteps: train.warmup_steps, totalSteps: train.max_steps },
      accumulationSteps: train.gradient_accumulation_steps,
      beta1: train.adam_beta1,
      beta2: train.adam_beta2,
      epsilon: train.adam_epsilon,
      weightDecay: train.weight_decay,
      maxGradNorm: train.max_grad_norm,
      evalSteps: 100,
      saveSteps: 100,
      loggingSteps: 1,
      patience: null,
      seed: 0,
    },
    runner,
    data,
    ports,
  );
  expect(results).toHaveLength(20);
  steps.forEach((expected, index) => {
    const { loss, gradNorm, learningRate } = results[index]!;
    expectClose([loss], [expected.loss], 1e-4, `loss of step ${index + 1}`);
    expectClose([gradNorm], [expected.grad_norm], 1e-3, `gradient norm of step ${index + 1}`);
    expect(learningRate).toBeCloseTo(expected.learning_rate, 12);
  });
  const { parameters } = await runner.exportState();
  expectParametersClose(parameters, readAdapterFolder(file(`${model}-final`)).parameters, 5e-3);
  await runner.dispose();
});

test.each(['gqa-tied', 'linear-rope-biases', 'mistral'])(
  'packed examples do not see each other: losses and gradients of %s are those of one example a row',
  async (model) => {
    const { train } = JSON.parse(readFileSync(file(`${model}.json`), 'utf8')) as Golden;
    const examples = examplesOf(model, train).slice(0, 12);
    const outcomes = [];
    for (const packing of [false, true]) {
      const options = { batchSize: packing ? 2 : 12, maxSequenceLength: 96, packing, padId: tokenizer.padId };
      const plan = batchesForEpoch(examples, options, { shuffle: false, seed: 0, epoch: 0 });
      expect(plan.count).toBe(1);
      const batch = plan.batch(0);
      expect(Math.max(...batch.segmentIds) > 4).toBe(packing);
      const runner = await createTrainer(model, readAdapterFolder(file(`${model}-final`)));
      const { lossSum, labelTokens } = await runner.evaluate(batch);
      await runner.accumulate(batch, 0);
      outcomes.push({ lossSum, labelTokens, gradients: await takeGradients(runner) });
      await runner.dispose();
    }
    const [apart, packed] = outcomes as [(typeof outcomes)[0], (typeof outcomes)[0]];
    expect(packed.labelTokens).toBe(apart.labelTokens);
    expectClose([packed.lossSum], [apart.lossSum], 1e-6, 'loss');
    expectParametersClose(packed.gradients, apart.gradients, 1e-5);
  },
);

/** Records the memory that results were written to. */
class WatchedDevice extends CpuDevice {
  readonly buffers = new Set<ArrayBufferLike>();

  override async compile(...given: Parameters<CpuDevice['compile']>): Promise<Executable> {
    const executable = await super.compile(...given);
    const run: Executable['run'] = async (...inputs) => {
      const results = await executable.run(...inputs);
      for (const result of results.values())
        this.buffers.add((result as DeviceTensor & { tensor: { data: Float32Array } }).tensor.data.buffer);
      return results;
    };
    return { run, dispose: () => executable.dispose() };
  }

  get bytes(): number {
    return [...this.buffers].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }
}

test('batches of eight lengths together take no more memory than the longest alone, in whatever order they come', async () => {
  const batch = { batchSize: 2, sequenceLength: 256 };
  const bytesFor = async (...lengths: number[]) => {
    const device = new WatchedDevice(2);
    const runner = await createTrainer('gqa-tied', readAdapterFolder(file('gqa-tied-final')), { device, batch });
    for (const length of lengths) {
      const row = Array.from({ length }, (_, i) => (i * 7) % 60);
      await runner.accumulate(batchOf([row, row]), 0);
    }
    await runner.dispose();
    return device.bytes;
  };
  const ofLongest = await bytesFor(256);
  expect(await bytesFor(32, 64, 96, 128, 160, 192, 224, 256)).toBeLessThan(1.5 * ofLongest);
  expect(await bytesFor(96, 32, 160, 64, 256, 128, 224, 192, 96, 256)).toBeLessThan(1.5 * ofLongest);
});

test('below the lowest adapted layer nothing is kept', async () => {
  const { weights } = openModel('test/fixtures/models/gqa-tied');
  const bytesWith = async (layers: readonly number[]) => {
    const lora = { r: 2, alpha: 4, targetModules: ['q_proj'], useRslora: false, layers } as const;
    const device = new WatchedDevice(1);
    const { parameters } = initialLoraState(weights.config, lora, 1);
    const runner = await createTrainer('gqa-tied', { lora, parameters }, { device });
    const row = Array.from({ length: 16 }, (_, i) => i);
    await runner.accumulate(batchOf([row, row]), 0);
    await runner.dispose();
    return device.bytes;
  };
  const last = weights.config.layerCount - 1;
  expect(last).toBeGreaterThan(0);
  expect(await bytesWith([last])).toBeLessThan(await bytesWith([0]));
});
