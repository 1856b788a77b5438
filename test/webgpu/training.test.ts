import { afterAll, describe, expect, test } from 'vitest';
import type { Batch } from '../../src/core/data/batch.js';
import type { StepRunner } from '../../src/core/train/stepRunner.js';
import { readAdapterFolder } from '../../src/files/adapterFolder.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import type { Device } from '../../src/runtime/device.js';
import { has16Bit } from '../../src/runtime/probe16Bit.js';
import { WebGpuDevice, type DeviceUsage } from '../../src/runtime/webgpuDevice.js';
import { FailingDevice } from '../support/failingDevice.js';
import { createTrainer, expectParametersClose, takeGradients, type Parameters, type TrainerOptions } from '../support/trainer.js';

interface Case {
  readonly name: string;
  readonly model: string;
  readonly options: TrainerOptions;
  readonly microBatches: number;
}

const tied: Case = { name: 'tied embeddings, no dropout', model: 'gqa-tied', options: {}, microBatches: 1 };
const accumulating: Case = {
  name: 'tied, dropout, two micro-batches a step',
  model: 'gqa-tied',
  options: { dropout: 0.1 },
  microBatches: 2,
};
const untied: Case = {
  name: 'untied, dropout, gradient checkpointing',
  model: 'tiny-llama',
  options: { dropout: 0.1, gradientCheckpointing: true },
  microBatches: 1,
};
const half: Case = { name: 'a base of 16-bit floats', model: 'mqa-f16', options: { baseDType: 'fp16' }, microBatches: 1 };

/** Biases on some linears; norms on heads; a window; no rotation; and Gemma's peculiarities. */
const families = ['qwen2', 'qwen3', 'mistral', 'smollm3', 'gemma3'].map((model): Case => ({
  name: model,
  model,
  options: {},
  microBatches: 1,
}));

const [rows, length] = [2, 32];
const gpu = new WebGpuDevice();
const gpuHas16Bit = await has16Bit(gpu);
afterAll(() => gpu.dispose());

describe('training on WebGPU has the gradients and losses of the CPU', () => {
  const steps = 20;
  test.each([tied, accumulating, untied, ...families])('$name', (each) => compare(each));
  test.skipIf(!gpuHas16Bit)(half.name, () => compare(half));

  async function compare(each: Case): Promise<void> {
    const [onGpu, onCpu] = [await train(each, gpu), await train(each, new CpuDevice(2))];
    expectParametersClose(onGpu.gradients, onCpu.gradients, 1e-4);
    for (let step = 0; step < steps; step++) {
      expect(relative(onGpu.losses[step]!, onCpu.losses[step]!), `loss of step ${step + 1}`).toBeLessThan(1e-4);
      expect(relative(onGpu.norms[step]!, onCpu.norms[step]!), `gradient norm of step ${step + 1}`).toBeLessThan(1e-3);
    }
    expectParametersClose(onGpu.parameters, onCpu.parameters, 2e-3);
    expect(gpu.usage, 'after everything is disposed').toMatchObject({ tensors: 0, bytes: 0 });
  }

  /** Returns the gradients of the first step, and the outcome of twenty steps. */
  async function train(
    each: Case,
    device: Device,
  ): Promise<{ gradients: Parameters; losses: number[]; norms: number[]; parameters: Parameters }> {
    const runner = await trainer(each, device);
    await runner.accumulate(batch(1), 1);
    const gradients = await takeGradients(runner);
    const [losses, norms]: [number[], number[]] = [[], []];
    for (let step = 1; step <= steps; step++) {
      const { loss, gradNorm } = await optimizerStep(runner, step, each.microBatches);
      losses.push(loss);
      norms.push(gradNorm);
    }
    const { parameters } = await runner.exportState();
    await runner.dispose();
    return { gradients, losses, norms, parameters };
  }
});

test('ids go in and two scalars come out of a step, whatever the model; 200 steps leave memory as it was', async () => {
  const small = await trainer(tied, gpu, { dropout: 0.1 });
  const larger = await trainer({ ...untied, options: { dropout: 0.1 } }, gpu);
  await optimizerStep(small, 1, 1);
  await optimizerStep(larger, 1, 1);
  const crossed = await transfersOf(() => optimizerStep(small, 2, 1));
  expect(crossed.bytesOut, 'loss and norm').toBe(2 * 4);
  // 4 bytes for the id, 8 for its position, 4 for its segment, 12 for row, label and weight in the loss; also shapes and scalars.
  expect(crossed.bytesIn).toBeLessThan(28 * rows * length + 256);
  expect(await transfersOf(() => optimizerStep(larger, 2, 1)), 'a model of more layers, width and vocabulary').toEqual(crossed);
  await larger.dispose();

  const resident: DeviceUsage = { ...gpu.usage };
  const memory: number[] = [];
  for (let step = 3; step <= 200; step++) {
    await optimizerStep(small, step, 1);
    expect(gpu.usage).toMatchObject({ tensors: resident.tensors, bytes: resident.bytes });
    if (step % 50 === 0) memory.push(process.memoryUsage().rss);
  }
  expect(memory.at(-1)! / memory[0]!).toBeLessThan(1.1); // V8 collects its garbage when it pleases
  await small.dispose();
}, 600_000);

test('a step that breaks off leaves nothing on a device that is done with', async () => {
  const device = new WebGpuDevice();
  const runner = await trainer(tied, new FailingDevice(device, 'backward', 1, false));
  await expect(runner.accumulate(batch(1), 1)).rejects.toThrow('The GPU failed');
  await runner.dispose();
  expect(device.usage.tensors, 'what the forward pass kept').toBeGreaterThan(0);
  await device.dispose();
  expect(device.usage).toMatchObject({ tensors: 0, bytes: 0 });
});

function trainer({ model, options }: Case, device: Device, more: TrainerOptions = {}): Promise<StepRunner> {
  return createTrainer(model, readAdapterFolder(`test/golden/training/${model}-initial`), { ...options, ...more, device });
}

async function optimizerStep(
  runner: StepRunner,
  step: number,
  microBatches: number,
): Promise<{ loss: number; gradNorm: number }> {
  let [lossSum, labelTokens] = [0, 0];
  for (let index = 0; index < microBatches; index++) {
    const loss = await runner.accumulate(batch(step + 100 * index), step + 1000 * index);
    lossSum += loss.lossSum;
    labelTokens += loss.labelTokens;
  }
  const { gradNorm } = await runner.update({
    step,
    learningRate: 5e-3,
    beta1: 0.9,
    beta2: 0.999,
    epsilon: 1e-8,
    weightDecay: 0.01,
    labelTokens,
    maxGradNorm: 1,
  });
  return { loss: lossSum / labelTokens, gradNorm };
}

async function transfersOf(work: () => Promise<unknown>): Promise<Pick<DeviceUsage, 'bytesIn' | 'bytesOut'>> {
  const before = { ...gpu.usage };
  await work();
  return { bytesIn: gpu.usage.bytesIn - before.bytesIn, bytesOut: gpu.usage.bytesOut - before.bytesOut };
}

/** Two packed segments per row, with some labels left out. */
function batch(step: number): Batch {
  const tokens = rows * length;
  const inputIds = Int32Array.from({ length: tokens }, (_, i) => (i * 31 + step * 17 + 7) % 96); // the smallest vocabulary
  const labels = inputIds.map((_, i) => (i % 16 === 15 || i % 5 === 0 ? -100 : inputIds[i + 1]!));
  return {
    batchSize: rows,
    sequenceLength: length,
    inputIds,
    labels,
    positionIds: inputIds.map((_, i) => i % 16),
    segmentIds: inputIds.map((_, i) => (i % 32) >> 4),
    labelTokens: labels.filter((label) => label !== -100).length,
    tokens,
  };
}

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.abs(b);
}
