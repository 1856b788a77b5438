import type { Batch } from '../../../src/core/data/batch.js';
import { ignoredLabel } from '../../../src/core/data/batch.js';
import type { BatchPlan, TrainingData } from '../../../src/core/data/batches.js';
import type { BatchLoss, StepRunner, TrainableState, UpdateOptions } from '../../../src/core/train/stepRunner.js';

/**
 * Linear regression in double precision behind the StepRunner port: a row holds the features, and its first label is the target.
 * `noise` stands in for dropout: it moves the target by an amount that only the dropout seed determines.
 */
export class FakeRunner implements StepRunner {
  readonly description = 'fake';
  private parameter: Float64Array;
  private first: Float64Array;
  private second: Float64Array;
  private gradient: Float64Array;

  constructor(
    initial: readonly number[],
    private readonly noise = 0,
  ) {
    this.parameter = Float64Array.from(initial);
    this.first = new Float64Array(initial.length);
    this.second = new Float64Array(initial.length);
    this.gradient = new Float64Array(initial.length);
  }

  get w(): number[] {
    return [...this.parameter];
  }

  async accumulate(batch: Batch, dropoutSeed: number): Promise<BatchLoss> {
    const shift = this.noise * (dropoutSeed / 2 ** 31 - 0.5);
    return this.lossOf(batch, shift, (x, error) => x.forEach((value, i) => (this.gradient[i]! += 2 * error * value)));
  }

  async evaluate(batch: Batch): Promise<BatchLoss> {
    return this.lossOf(batch, 0, () => undefined);
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const gradient = this.gradient.map((sum) => sum / options.labelTokens);
    const gradNorm = Math.hypot(...gradient);
    // PyTorch's clip_grad_norm_ divides by norm + 1e-6.
    const clip = options.maxGradNorm > 0 ? Math.min(1, options.maxGradNorm / (gradNorm + 1e-6)) : 1;
    gradient.forEach((value, i) => this.adamW(i, value * clip, options));
    this.gradient.fill(0);
    return { gradNorm };
  }

  async exportState(): Promise<TrainableState> {
    // Doubles are stored as four words each in fp32 tensors, so that a resumed run is exact.
    const tensor = (values: Float64Array) =>
      new Map([['w', { shape: [values.length * 4], data: new Float32Array(splitDoubles(values)) }]]);
    return { parameters: tensor(this.parameter), firstMoments: tensor(this.first), secondMoments: tensor(this.second) };
  }

  async importState(state: TrainableState): Promise<void> {
    this.parameter = joinDoubles(state.parameters.get('w')!.data);
    this.first = joinDoubles(state.firstMoments.get('w')!.data);
    this.second = joinDoubles(state.secondMoments.get('w')!.data);
    this.gradient.fill(0);
  }

  async dispose(): Promise<void> {
    this.gradient.fill(0);
  }

  private lossOf(batch: Batch, shift: number, onRow: (x: number[], error: number) => void): BatchLoss {
    const width = batch.sequenceLength;
    let lossSum = 0;
    for (let row = 0; row < batch.batchSize; row++) {
      const x = [...batch.inputIds.subarray(row * width, (row + 1) * width)];
      const target = batch.labels[row * width]! + shift;
      const error = x.reduce((sum, value, i) => sum + value * this.parameter[i]!, 0) - target;
      lossSum += error * error;
      onRow(x, error);
    }
    return { lossSum, labelTokens: batch.labelTokens };
  }

  private adamW(i: number, gradient: number, o: UpdateOptions): void {
    this.first[i] = o.beta1 * this.first[i]! + (1 - o.beta1) * gradient;
    this.second[i] = o.beta2 * this.second[i]! + (1 - o.beta2) * gradient * gradient;
    const m = this.first[i]! / (1 - o.beta1 ** o.step);
    const v = this.second[i]! / (1 - o.beta2 ** o.step);
    const decayed = this.parameter[i]! * (1 - o.learningRate * o.weightDecay);
    this.parameter[i] = decayed - (o.learningRate * m) / (Math.sqrt(v) + o.epsilon);
  }
}

/** Four 16-bit words per double, each exact in fp32. */
function splitDoubles(values: Float64Array): number[] {
  return [...new Uint16Array(Float64Array.from(values).buffer)];
}

function joinDoubles(words: Float32Array): Float64Array {
  return new Float64Array(Uint16Array.from(words).buffer);
}

/** The micro-batches of test/golden/make_training_loop.py. */
export function microBatch(index: number): Batch {
  const rows = index % 3 === 2 ? 1 : 3;
  const inputIds = new Int32Array(rows * 2);
  const labels = new Int32Array(rows * 2).fill(ignoredLabel);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < 2; column++) inputIds[row * 2 + column] = ((index * 7 + row * 3 + column * 5) % 11) - 5;
    labels[row * 2] = ((index * 5 + row * 2) % 7) - 3;
  }
  return {
    batchSize: rows,
    sequenceLength: 2,
    inputIds,
    labels,
    positionIds: new Int32Array(rows * 2),
    segmentIds: new Int32Array(rows * 2),
    labelTokens: rows,
    tokens: rows * 2,
  };
}

export function microBatches(indices: readonly number[]): BatchPlan {
  return { count: indices.length, batch: (index) => microBatch(indices[index]!) };
}

export function fakeData(perEpoch: number, evaluation: BatchPlan | null = null): TrainingData {
  return { epoch: () => microBatches(Array.from({ length: perEpoch }, (_, i) => i)), evaluation };
}
