import { expect, test } from 'vitest';
import type { Batch } from '../../src/core/data/batch.js';
import { greedy } from '../../src/core/generate/sampling.js';
import { readAdapterFolder } from '../../src/files/adapterFolder.js';
import { openModel } from '../../src/files/openModel.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import type { Device } from '../../src/runtime/device.js';
import { createOnnxStepRunner } from '../../src/runtime/onnxStepRunner.js';
import { createTextModel } from '../../src/runtime/onnxTextModel.js';
import { WebGpuDevice } from '../../src/runtime/webgpuDevice.js';

const steps = 20;

test('twenty steps with dropout on WebGPU have the losses, norms and adapter of the CPU', async () => {
  const onGpu = await train(new WebGpuDevice());
  const onCpu = await train(new CpuDevice(2));
  for (let step = 0; step < steps; step++) {
    expect(relative(onGpu.losses[step]!, onCpu.losses[step]!), `loss of step ${step + 1}`).toBeLessThan(1e-4);
    expect(relative(onGpu.norms[step]!, onCpu.norms[step]!), `gradient norm of step ${step + 1}`).toBeLessThan(1e-3);
  }
  for (const [name, { data }] of onCpu.parameters) {
    const other = onGpu.parameters.get(name)!.data;
    const largest = Math.max(...data.map(Math.abs));
    const difference = Math.max(...data.map((value, i) => Math.abs(value - other[i]!)));
    expect(difference / largest, name).toBeLessThan(2e-3);
  }
});

test.each(['fp32', 'int8'] as const)('greedy text with %s weights on WebGPU is the CPU’s', async (dtype) => {
  const texts = [];
  for (const device of [new WebGpuDevice(), new CpuDevice(2)]) {
    const model = await createTextModel(openModel('test/fixtures/models/tiny-llama').weights, device, dtype);
    const request = { promptIds: [1, 60, 61, 62, 63], adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: 12, endIds: [] };
    texts.push((await model.generate(request, () => true)).ids);
    // The cache is read again: a longer prompt that begins with the first.
    texts.push((await model.generate({ ...request, promptIds: [...request.promptIds, 70] }, () => true)).ids);
    await model.dispose();
  }
  expect(texts.slice(0, 2)).toEqual(texts.slice(2));
});

async function train(device: Device): Promise<{ losses: number[]; norms: number[]; parameters: ReadonlyMap<string, { data: Float32Array }> }> {
  const { weights } = openModel('test/fixtures/models/gqa-tied');
  const adapter = readAdapterFolder('test/golden/training/gqa-tied-initial');
  const runner = await createOnnxStepRunner({
    weights,
    lora: adapter.lora,
    dropout: 0.1,
    baseDType: 'fp32',
    gradientCheckpointing: false,
    layerStreaming: false,
    device,
    initialState: { parameters: adapter.parameters, firstMoments: new Map(), secondMoments: new Map() },
  });
  const [losses, norms]: number[][] = [[], []];
  for (let step = 1; step <= steps; step++) {
    const { lossSum, labelTokens } = await runner.accumulate(batch(weights.config.vocabSize, step), step);
    const { gradNorm } = await runner.update({ step, learningRate: 5e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01, labelTokens, maxGradNorm: 1 });
    losses!.push(lossSum / labelTokens);
    norms!.push(gradNorm);
  }
  const { parameters } = await runner.exportState();
  await runner.dispose();
  await device.dispose();
  return { losses: losses!, norms: norms!, parameters };
}

/** Two packed segments a row, and some labels left out. */
function batch(vocabSize: number, step: number): Batch {
  const [batchSize, sequenceLength] = [2, 32];
  const tokens = batchSize * sequenceLength;
  const inputIds = Int32Array.from({ length: tokens }, (_, i) => (i * 31 + step * 17 + 7) % vocabSize);
  const labels = inputIds.map((_, i) => (i % 16 === 15 || i % 5 === 0 ? -100 : inputIds[i + 1]!));
  return {
    batchSize,
    sequenceLength,
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
