import { expect, test, vi } from 'vitest';
import { randomBatch } from '../../bench/randomBatch.js';
import { randomWeights, smolLm2 } from '../../bench/shapes.js';
import { linearNames } from '../../src/core/models/linears.js';
import { initialLoraState } from '../../src/core/train/loraInit.js';
import { estimateMemory, type MemoryRequest } from '../../src/runtime/memory/estimate.js';
import { FrozenWeights } from '../../src/runtime/frozenWeights.js';
import { Trainers } from '../../src/runtime/trainers.js';
import { WebGpuDevice, type DeviceUsage } from '../../src/runtime/webgpuDevice.js';
import { createTrainer } from '../support/trainer.js';

const small = {
  ...smolLm2,
  layerCount: 3,
  hiddenSize: 192,
  headCount: 3,
  keyValueHeadCount: 1,
  intermediateSize: 512,
  vocabSize: 4096,
};
const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
const usual: MemoryRequest = {
  weights: randomWeights(small),
  lora,
  dropout: 0,
  batch: { batchSize: 2, sequenceLength: 64 },
  baseDType: 'fp32',
  gradientCheckpointing: false,
  layerStreaming: false,
  device: 'webgpu',
};

const engine = {
  device: 'webgpu',
  base_dtype: 'fp32',
  threads: null,
  gradient_checkpointing: 'off',
  layer_streaming: 'off',
  memory_check: 'warn',
} as const;

// Only the driver sees what programs allocate internally: node bench/memory.mjs --device webgpu.
test.each<{ name: string; changes: Partial<MemoryRequest> }>([
  { name: 'activations kept', changes: {} },
  {
    name: 'recomputed, 4 bits, a high rank',
    changes: { gradientCheckpointing: true, baseDType: 'int4', lora: { ...lora, r: 64 } },
  },
  {
    name: 'more layers, a larger vocabulary, longer rows',
    changes: {
      weights: randomWeights({ ...small, layerCount: 6, vocabSize: 16384 }),
      batch: { batchSize: 1, sequenceLength: 96 },
    },
  },
])('the tensors of a step take what was estimated: $name', async ({ changes }) => {
  const request = { ...usual, ...changes };
  const { config } = request.weights;
  const gpu = new WebGpuDevice();
  const runner = await createTrainer('', null, {
    ...request,
    weights: randomWeights(config),
    device: gpu,
    initialState: initialLoraState(config, request.lora!, 0),
  });
  await runner.accumulate(randomBatch(config, request.batch, 1), 0);
  const { parts } = estimateMemory(request);
  const ratio = (parts.weights + parts.adapter + parts.activations) / gpu.usage.peakBytes;
  await runner.dispose();
  await gpu.dispose();
  expect(ratio).toBeGreaterThan(0.85);
  expect(ratio).toBeLessThan(1.15);
});

test('between trainers that share a base, only the base is on the device; after them, nothing', async () => {
  const tiny = { ...small, layerCount: 1, vocabSize: 512, intermediateSize: 256 };
  const batch = { batchSize: 1, sequenceLength: 16 };
  const load = vi.spyOn(FrozenWeights, 'load');
  const trainers = new Trainers(randomWeights(tiny));
  const losses: number[] = [];
  const between: DeviceUsage[] = [];
  const usage = (): DeviceUsage => (load.mock.calls[0]![1] as WebGpuDevice).usage;
  for (const r of [8, 4]) {
    const shape = { ...lora, r };
    const initialState = initialLoraState(tiny, shape, 0);
    const { runner } = await trainers.create({ lora: shape, dropout: 0, initialState, engine, measures: false, batch });
    losses.push((await runner.accumulate(randomBatch(tiny, batch, 1), 0)).lossSum);
    await runner.dispose();
    between.push({ ...usage() });
  }
  expect(load).toHaveBeenCalledTimes(1);
  expect(losses[1]).toBeCloseTo(losses[0]!, 3); // new adapters change nothing yet
  expect(between[0]!.tensors).toBeGreaterThan(9);
  for (const { tensors, bytes } of between)
    expect({ tensors, bytes }).toEqual({ tensors: between[0]!.tensors, bytes: between[0]!.bytes });
  await trainers.dispose();
  expect(usage()).toMatchObject({ tensors: 0, bytes: 0 });
});
