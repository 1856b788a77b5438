import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { TrainingData } from '../../../src/core/data/batches.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { savedSteps } from '../../../src/runs/checkpoints.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun, type PreparedRun } from '../../../src/runs/trainRun.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import type { Device } from '../../../src/runtime/device.js';
import { ranOut } from '../../../src/runtime/memory/messages.js';
import { planMemory } from '../../../src/runtime/memory/plan.js';
import { explainingOutOfMemory } from '../../../src/runtime/memory/outOfMemory.js';
import { batchOf } from '../../support/batches.js';
import { FailingDevice } from '../../support/failingDevice.js';
import { createTrainer } from '../../support/trainer.js';

const adapter = readAdapterFolder('test/golden/training/gqa-tied-initial');
const { weights } = openModel('test/fixtures/models/gqa-tied');
/** The plan of a run so large that there is something to give up. */
const plan = planMemory(
  {
    weights,
    lora: adapter.lora,
    dropout: 0.1,
    batch: { batchSize: 64, sequenceLength: 512 },
    dtypes: ['fp32'],
    checkpointing: 'off',
    streaming: 'off',
    device: 'webgpu',
  },
  1e10,
);
const steps = 6;
let folder: string;
let unbroken: RunDirectory;

const rows = (index: number) => [0, 1].map((row) => Array.from({ length: 8 }, (_, i) => (i * 7 + row * 3 + index * 5) % 60));
const batches = { count: 2, batch: (index: number) => batchOf(rows(index)) };
const data: TrainingData = { epoch: () => batches, evaluation: { count: 1, batch: () => batchOf(rows(9)) } };

/** A run that evaluates and saves after every fourth step. In `train`, `gpu` stands in for the GPU. */
function run(name: string, ...overrides: string[]): RunDirectory {
  const text = `{"model": "/model", "data": {"path": "/data"}, "train": {"max_steps": ${steps}, "gradient_accumulation_steps": 2, "eval_steps": 4, "save_steps": 4}}`;
  return RunDirectory.create(join(folder, name), parseRunConfig(text, '/run.json', overrides));
}

async function train(directory: RunDirectory, gpu: Device): Promise<string[]> {
  const notes: string[] = [];
  await trainRun(directory, {
    listener: { onNote: (text) => notes.push(text) },
    prepare: async ({ engine }): Promise<PreparedRun> => {
      const device = engine.device === 'cpu' ? new CpuDevice(1) : gpu;
      const runner = explainingOutOfMemory(
        await createTrainer('gqa-tied', adapter, { device, dropout: 0.1 }),
        ranOut.bind(null, plan),
      );
      return {
        runner,
        data,
        dataFingerprint: 'same',
        dataFormat: 'text',
        manifest: null,
        teachesMarkers: false,
        totalSteps: steps,
        baseDType: 'fp32',
        lora: adapter.lora,
        baseModel: '/model',
        samples: null,
        dispose: () => runner.dispose(),
      };
    },
  });
  return notes;
}

const bytes = (folder: string) => readFileSync(join(folder, 'adapter_model.safetensors')).toString('base64');
const best = (directory: RunDirectory) => {
  const { bestEvalLoss, bestStep } = directory.readState();
  return { bestEvalLoss, bestStep, adapter: bytes(directory.bestAdapterPath) };
};
const losses = (directory: RunDirectory) =>
  readMetrics(directory.metricsPath).map((metric) =>
    'loss' in metric ? [metric.step, metric.loss] : [metric.step, metric.eval_loss],
  );

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'failing-'));
  unbroken = run('unbroken');
  await train(unbroken, new CpuDevice(1));
});

// gqa-tied has two layers and a step has two micro-batches: four passes forward and backward and two updates. An evaluation makes
// two forward passes; the first one happens before any training.
const failing = (program: string, failsAt: number, lost: boolean) => new FailingDevice(new CpuDevice(1), program, failsAt, lost);

test.each([
  { name: 'for good, in the last step', gpu: failing('backward', 23, true), from: 'Resuming at step 4.' },
  { name: 'for good, in the first step', gpu: failing('backward', 1, true), from: undefined },
  { name: 'once, in the third step, and can still be read', gpu: failing('backward', 11, false), from: 'Resuming at step 2.' },
  { name: 'between two layers of an update, half of which is never saved', gpu: failing('update', 4, false), from: undefined },
  {
    name: 'in the evaluation after the fourth step, which is made again',
    gpu: failing('forward', 20, false),
    from: 'Resuming at step 4.',
  },
  { name: 'in the last evaluation', gpu: failing('forward', 29, false), from: 'Resuming at step 6.' },
])('a device that fails $name: the run goes on on the CPU and ends as if nothing had been', async ({ name, gpu, from }) => {
  const directory = run(name);
  const notes = await train(directory, gpu);
  expect(notes).toContain('The GPU failed: injected. Continuing on the CPU, since engine.cpu_fallback is on.');
  expect(notes.find((note) => note.startsWith('Resuming'))).toBe(from);
  expect(directory.readState()).toMatchObject({ status: 'finished', step: steps, message: null });
  expect(losses(directory)).toEqual(losses(unbroken));
  expect(bytes(directory.adapterPath)).toBe(bytes(unbroken.adapterPath));
  expect(best(directory)).toEqual(best(unbroken));
});

describe('a device that runs out of memory', () => {
  const invalidBuffer =
    'WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error.\n - While validating entries[1]';
  const remedies = String.raw`[\d.]+ [MG]B was expected to be enough\. What would fit: train\.batch_size 64 → 32 .*\.`;
  const outOfMemory = (words: string) => new FailingDevice(new CpuDevice(1), 'backward', 11, false, words);

  test.each([
    ['Failed to allocate buffer: out of memory', `Memory ran out (Failed to allocate buffer: out of memory); `],
    [
      invalidBuffer,
      `Memory has probably run out (WebGPU validation failed. [Invalid Buffer (unlabeled)] is invalid due to a previous error); `,
    ],
  ])('the run goes on on the CPU from the last whole step, and the log says what would fit: %s', async (words, beginning) => {
    const directory = run(`memory ${words.length}`);
    const notes = await train(directory, outOfMemory(words));
    const told = notes.find((note) => note.endsWith(' Continuing on the CPU, since engine.cpu_fallback is on.'))!;
    expect(told.startsWith(beginning)).toBe(true);
    expect(told).toMatch(new RegExp(remedies));
    expect(notes).toContain('Resuming at step 2.');
    expect(bytes(directory.adapterPath)).toBe(bytes(unbroken.adapterPath));
  });

  test('without the fallback the last whole step is saved, and the message says how to go on', async () => {
    const directory = run('memory ends', 'engine.cpu_fallback=false');
    await expect(train(directory, outOfMemory(invalidBuffer))).rejects.toThrow(
      new RegExp(
        `${remedies} The checkpoint of step 2 is saved: resume the run, with engine.device set to "cpu" if it fails again.$`,
      ),
    );
    expect(savedSteps(directory.checkpointsPath)).toEqual([2]);
  });
});

test('without the fallback the run ends with a checkpoint of the last whole step and says what to do', async () => {
  const directory = run('ends', 'engine.cpu_fallback=false');
  await expect(train(directory, failing('backward', 11, false))).rejects.toThrow(
    'The GPU failed: injected. The checkpoint of step 2 is saved: resume the run, with engine.device set to "cpu" if it fails again.',
  );
  expect(savedSteps(directory.checkpointsPath)).toEqual([2]);
  expect(directory.readState()).toMatchObject({ status: 'failed', step: 2 });
});
