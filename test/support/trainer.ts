/** @file The training engine on tiny models, and its gradients. */
import type { LoraShape } from '../../src/core/adapters/lora.js';
import type { Adapter } from '../../src/core/adapters/peft.js';
import type { StepRunner, TrainableState } from '../../src/core/train/stepRunner.js';
import { withZeroMoments } from '../../src/core/train/loraInit.js';
import type { BaseDType } from '../../src/core/models/matrixForm.js';
import type { WeightStore } from '../../src/core/models/weights.js';
import { openModel } from '../../src/files/openModel.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import type { Device } from '../../src/runtime/device.js';
import { FrozenWeights } from '../../src/runtime/frozenWeights.js';
import { createOnnxStepRunner, type OnnxStepRunnerOptions } from '../../src/runtime/onnxStepRunner.js';
import { expectClose } from './tensors.js';

export type Parameters = TrainableState['parameters'];

export interface TrainerOptions extends Partial<Omit<OnnxStepRunnerOptions, 'frozen'>> {
  readonly weights?: WeightStore;
  readonly device?: Device;
  readonly baseDType?: BaseDType;
  readonly layerStreaming?: boolean;
}

/** A trainer with a base of its own, which is released with it. */
export async function createTrainer(
  model: string,
  adapter: Pick<Adapter, 'lora' | 'parameters'> | null,
  { weights, device, baseDType = 'fp32', layerStreaming = false, ...options }: TrainerOptions = {},
): Promise<StepRunner> {
  const store = weights ?? openModel(`test/fixtures/models/${model}`).weights;
  const frozen = await FrozenWeights.load(store, device ?? new CpuDevice(2), { dtype: baseDType, streaming: layerStreaming });
  const runner = await createOnnxStepRunner({
    frozen,
    lora: adapter && adapter.lora,
    dropout: 0,
    gradientCheckpointing: false,
    batch: { batchSize: 2, sequenceLength: 16 },
    initialState: withZeroMoments(adapter?.parameters ?? new Map()),
    ...options,
  });
  const dispose = runner.dispose.bind(runner);
  runner.dispose = () => dispose().finally(() => frozen.dispose());
  return runner;
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
