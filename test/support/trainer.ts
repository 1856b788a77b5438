/** @file The training engine on tiny models, and its gradients. */
import type { LoraShape } from '../../src/core/adapters/lora.js';
import type { Adapter } from '../../src/core/adapters/peft.js';
import type { StepRunner, TrainableState } from '../../src/core/train/stepRunner.js';
import { withZeroMoments } from '../../src/core/train/loraInit.js';
import { openModel } from '../../src/files/openModel.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import { createOnnxStepRunner, type OnnxStepRunnerOptions } from '../../src/runtime/onnxStepRunner.js';
import { expectClose } from './tensors.js';

export type Parameters = TrainableState['parameters'];

export function createTrainer(
  model: string,
  adapter: Pick<Adapter, 'lora' | 'parameters'> | null,
  options: Partial<OnnxStepRunnerOptions> = {},
): Promise<StepRunner> {
  return createOnnxStepRunner({
    weights: options.weights ?? openModel(`test/fixtures/models/${model}`).weights,
    lora: adapter && adapter.lora,
    dropout: 0,
    baseDType: 'fp32',
    gradientCheckpointing: false,
    layerStreaming: false,
    device: new CpuDevice(2),
    batch: { batchSize: 2, sequenceLength: 16 },
    initialState: withZeroMoments(adapter?.parameters ?? new Map()),
    ...options,
  });
}

/** Returns the gradient sums and clears them: makes an update without effect, whose first moments are the gradients. */
export async function takeGradients(runner: StepRunner): Promise<Parameters> {
  const { parameters } = await runner.exportState();
  await runner.update({
    step: 1,
    learningRate: 0,
    beta1: 0,
    beta2: 0,
    epsilon: 1,
    weightDecay: 0,
    labelTokens: 1,
    maxGradNorm: 0,
  });
  const { firstMoments } = await runner.exportState();
  await runner.importState(withZeroMoments(parameters));
  return firstMoments;
}

/** Checks that `actual` has every tensor of `expected`; `tolerance` is relative to the largest number of each. */
export function expectParametersClose(actual: Parameters, expected: Parameters, tolerance: number): void {
  for (const [name, { data }] of expected) expectClose(actual.get(name)?.data ?? [], data, tolerance, name);
}

export function mapParameters(parameters: Parameters, change: (data: Float32Array, name: string) => Float32Array): Parameters {
  return new Map([...parameters].map(([name, { shape, data }]) => [name, { shape, data: change(data, name) }]));
}

/** The adapter restricted to a few of its layers or linears. */
export function restricted(adapter: Adapter, lora: Partial<LoraShape>): Pick<Adapter, 'lora' | 'parameters'> {
  return { lora: { ...adapter.lora, ...lora }, parameters: adapter.parameters };
}
