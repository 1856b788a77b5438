import { expect, test } from 'vitest';
import { randomBatch } from '../../bench/randomBatch.js';
import { randomWeights, smolLm2 } from '../../bench/shapes.js';
import { linearNames } from '../../src/core/models/linears.js';
import { initialLoraState } from '../../src/core/train/loraInit.js';
import { estimateMemory, type MemoryRequest } from '../../src/runtime/memory/estimate.js';
import { WebGpuDevice } from '../../src/runtime/webgpuDevice.js';
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
