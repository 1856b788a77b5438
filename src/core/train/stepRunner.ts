import type { Batch } from '../data/batch.js';
import type { HostTensor } from '../formats/hostTensor.js';

/** Everything that changes during training, by PEFT's parameter names: the parameters, and AdamW's moments. */
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
  /** The accumulated gradient sums are divided by this: the number of label tokens in the whole optimizer step. */
  readonly labelTokens: number;
  /** 0 means no clipping. */
  readonly maxGradNorm: number;
}

/**
 * The interface of a training engine; the loop in core/train knows nothing else about it. Implemented by ONNX Runtime
 * (src/runtime) and by fakes in tests. Any method may throw UserError('device-failed') or UserError('out-of-memory').
 */
export interface StepRunner {
  /** For people, such as "CPU, 2 threads, fp32 base". */
  readonly description: string;
  /** Forward and backward pass of one micro-batch; adds to the gradient sums. `dropoutSeed` determines the dropout masks. */
  accumulate(batch: Batch, dropoutSeed: number): Promise<BatchLoss>;
  /** Clips by global norm, runs AdamW, and clears the gradient sums. Returns the norm before clipping. */
  update(options: UpdateOptions): Promise<{ gradNorm: number }>;
  /** Forward pass only, without dropout. */
  evaluate(batch: Batch): Promise<BatchLoss>;
  /** The state after the last complete step. Throws UserError('device-failed') if an update was interrupted. */
  exportState(): Promise<TrainableState>;
  /** Also clears the gradient sums. */
  importState(state: TrainableState): Promise<void>;
  dispose(): Promise<void>;
}
