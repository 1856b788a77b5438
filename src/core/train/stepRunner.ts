import type { Batch } from '../data/batch.js';
import type { HostTensor } from '../formats/hostTensor.js';

/** Everything that changes while training. Names: PEFT's parameter names; moments of AdamW beside them. */
export interface TrainableState {
  readonly parameters: ReadonlyMap<string, HostTensor>;
  readonly firstMoments: ReadonlyMap<string, HostTensor>;
  readonly secondMoments: ReadonlyMap<string, HostTensor>;
}

export interface BatchLoss {
  /** Sum of −log p over the label tokens, natural logarithm. */
  readonly lossSum: number;
  readonly labelTokens: number;
}

export interface UpdateOptions {
  /** 1-based optimizer step, for AdamW's bias correction. */
  readonly step: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** The accumulated gradient sums are divided by this: label tokens of the whole optimizer step. */
  readonly labelTokens: number;
  /** 0: no clipping. */
  readonly maxGradNorm: number;
}

/**
 * What a training engine can do; the loop in core/train knows nothing else of it. Implemented by ONNX Runtime (src/runtime)
 * and by fakes in tests. Any of it may throw UserError('device-failed') or UserError('out-of-memory').
 */
export interface StepRunner {
  /** "CPU, 2 threads, fp32". */
  readonly description: string;
  /** Forward and backward of one micro-batch; adds to the gradient sums. `dropoutSeed` fixes the dropout masks. */
  accumulate(batch: Batch, dropoutSeed: number): Promise<BatchLoss>;
  /** Clip by global norm, AdamW, and clear the gradient sums. Returns the norm before clipping. */
  update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  /** Forward only, without dropout. */
  evaluate(batch: Batch): Promise<BatchLoss>;
  /** Of the last whole step; throws UserError('device-failed') where an update was broken off. */
  exportState(): Promise<TrainableState>;
  /** Also clears the gradient sums. */
  importState(state: TrainableState): Promise<void>;
  dispose(): Promise<void>;
}
