import { test } from 'vitest';
import { linearNames } from '../../src/core/models/linears.js';
import { initialLoraState } from '../../src/core/train/loraInit.js';
import { openModel } from '../../src/files/openModel.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import type { Device } from '../../src/runtime/device.js';
import { WebGpuDevice } from '../../src/runtime/webgpuDevice.js';
import { batchOf } from '../support/batches.js';
import { differentiate } from '../support/differentiate.js';
import { evaluate } from '../support/evaluate.js';
import { opCases } from '../support/opCases.js';
import { runOnDevice } from '../support/runProgram.js';
import { expectClose } from '../support/tensors.js';
import { createTrainer, expectParametersClose, takeGradients, type Parameters } from '../support/trainer.js';

interface Trained {
  readonly losses: number[];
  readonly gradients: Parameters;
  readonly parameters: Parameters;
}

test('WebGPU unpacks blocks of 4 and 8 bits as they are defined', async () => {
  const device = new WebGpuDevice();
  for (const each of opCases.dequantize) {
    const { program, values } = differentiate(each);
    const unpacked = await runOnDevice(device, program, values);
    expectClose(unpacked.get('y')!.data, evaluate(program, values).get('y')!.data, 2e-6, each.name);
  }
  await device.dispose();
});

// Weights rounded to Q4_1 and Q8_0 at load; weights stored as Q4_1, Q8_0 and Q5_0 with permuted rows.
test.each(['test/fixtures/models/gqa-tied', 'test/golden/formats/quantized.gguf'])(
  '%s trains from int4 on WebGPU as on the CPU, streamed or not',
  async (model) => {
    const onCpu = await train(model, new CpuDevice(2), false);
    for (const layerStreaming of [false, true]) {
      const onGpu = await train(model, new WebGpuDevice(), layerStreaming);
      expectClose(onGpu.losses, onCpu.losses, 1e-4, 'losses');
      expectParametersClose(onGpu.gradients, onCpu.gradients, 1e-3);
      expectParametersClose(onGpu.parameters, onCpu.parameters, 2e-3);
    }
  },
);

/** Returns the gradients of the first step, and the outcome of five steps. */
async function train(model: string, device: Device, layerStreaming: boolean): Promise<Trained> {
  const { weights } = openModel(model);
  const { vocabSize } = weights.config;
  const lora = { r: 4, alpha: 8, useRslora: false, targetModules: linearNames, layers: null };
  const { parameters: initial } = initialLoraState(weights.config, lora, 1);
  const runner = await createTrainer('', { lora, parameters: initial }, { device, weights, baseDType: 'int4', layerStreaming });
  const batch = (step: number): ReturnType<typeof batchOf> =>
    batchOf([0, 1].map((row) => Array.from({ length: 24 }, (_, i) => (i * 31 + row * 11 + step * 17 + 7) % vocabSize)));
  await runner.accumulate(batch(1), 0);
  const gradients = await takeGradients(runner);
  const losses: number[] = [];
  for (let step = 1; step <= 5; step++) {
    const { lossSum, labelTokens } = await runner.accumulate(batch(step), 0);
    await runner.update({
      step,
      learningRate: 5e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      labelTokens,
      maxGradNorm: 1,
    });
    losses.push(lossSum / labelTokens);
  }
  const { parameters } = await runner.exportState();
  await runner.dispose();
  await device.dispose();
  return { losses, gradients, parameters };
}
