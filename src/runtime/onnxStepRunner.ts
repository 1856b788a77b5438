/** @file Training with ONNX Runtime: runs the programs of core/train/programs.ts over the layers of a model. */
import { isAdapted, type LoraShape } from '../core/adapters/lora.js';
import type { Batch } from '../core/data/batch.js';
import type { LlamaConfig } from '../core/llama/config.js';
import { ropeTables } from '../core/llama/rope.js';
import type { WeightStore } from '../core/llama/weights.js';
import { dropoutMaskWidths, updateScalarNames, type BlockActivations, type UpdateScalars } from '../core/train/programs.js';
import type { BatchLoss, StepRunner, TrainableState, UpdateOptions } from '../core/train/stepRunner.js';
import type { Device, DeviceTensor, Executable } from './device.js';
import { dropoutMask } from './dropoutMask.js';
import { FrozenWeights, type BaseDType } from './frozenWeights.js';
import { headChunks, type HeadChunk } from './headChunks.js';
import { Trainables } from './trainables.js';
import { TrainPrograms } from './trainPrograms.js';

export interface OnnxStepRunnerOptions {
  readonly weights: WeightStore;
  readonly lora: LoraShape;
  readonly dropout: number;
  readonly baseDType: BaseDType;
  /** Recompute activations in the backward pass instead of keeping them. */
  readonly gradientCheckpointing: boolean;
  readonly initialState: TrainableState;
  readonly device: Device;
}

const cheapestToKeep: readonly (keyof BlockActivations)[] = ['query', 'key', 'value', 'attention', 'residual', 'gate', 'up'];

type Tensors = ReadonlyMap<string, DeviceTensor>;

/** Loads the base model onto the device and makes the adapter trainable. */
export async function createOnnxStepRunner(options: OnnxStepRunnerOptions): Promise<StepRunner> {
  const { weights, lora, device, baseDType } = options;
  const trainables = new Trainables(device, weights.config, lora);
  await trainables.importState(options.initialState);
  const frozen = await FrozenWeights.load(weights, device, baseDType);
  return new OnnxStepRunner(options, frozen, trainables);
}

class OnnxStepRunner implements StepRunner {
  readonly description: string;
  private readonly config: LlamaConfig;
  private readonly device: Device;
  private readonly programs: TrainPrograms;

  constructor(
    private readonly options: OnnxStepRunnerOptions,
    private readonly frozen: FrozenWeights,
    private readonly trainables: Trainables,
  ) {
    const { device, weights, baseDType, lora, dropout, gradientCheckpointing } = options;
    this.config = weights.config;
    this.device = device;
    this.description = `${device.description}, ${baseDType} base`;
    const keep = gradientCheckpointing ? [] : cheapestToKeep;
    const weightInput = baseDType === 'fp16' ? 'float16' : 'float32';
    this.programs = new TrainPrograms(device, { config: this.config, weightInput, lora, dropout, keep });
  }

  async accumulate(batch: Batch, dropoutSeed: number): Promise<BatchLoss> {
    const shared = await this.prepare(batch);
    const kept: Tensors[] = [];
    let x = shared.x;
    for (let layer = 0; layer < this.config.layerCount; layer++) {
      const adapted = isAdapted(this.options.lora, layer);
      const forward = await this.programs.forward(batch, { adapted, training: true });
      const masks = adapted ? await this.dropoutMasks(batch, dropoutSeed, layer) : new Map();
      const results = await this.runBlock(forward, layer, [shared.context, masks, new Map([['x', x]])]);
      this.releaseAll(masks);
      const y = results.get('y')!;
      results.delete('y');
      kept.push(results.set('x', x));
      x = y;
    }
    const { lossSum, dx } = await this.head(batch, x, true);
    this.device.release(x);
    await this.backward(batch, shared.context, kept, dx!, dropoutSeed);
    this.releaseAll(shared.context);
    return { lossSum, labelTokens: batch.labelTokens };
  }

  async evaluate(batch: Batch): Promise<BatchLoss> {
    const shared = await this.prepare(batch);
    let x = shared.x;
    for (let layer = 0; layer < this.config.layerCount; layer++) {
      const forward = await this.programs.forward(batch, { adapted: isAdapted(this.options.lora, layer), training: false });
      const results = await this.runBlock(forward, layer, [shared.context, new Map([['x', x]])]);
      this.device.release(x);
      x = results.get('y')!;
    }
    const { lossSum } = await this.head(batch, x, false);
    this.device.release(x);
    this.releaseAll(shared.context);
    return { lossSum, labelTokens: batch.labelTokens };
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    const gradNorm = (await this.gradientNorm()) / options.labelTokens;
    const clip = options.maxGradNorm > 0 ? Math.min(1, options.maxGradNorm / (gradNorm + 1e-6)) : 1; // as torch's clip_grad_norm_
    const scalars = await this.uploadScalars(updateScalars(options, clip));
    const program = await this.programs.update();
    for (const [layer, tensors] of this.trainables.layers) {
      const results = await program.run(new Map([...tensors, ...scalars]));
      for (const [name, tensor] of results) this.trainables.replace(layer, name.replace(/\.next$/, ''), tensor);
    }
    this.releaseAll(scalars);
    await this.trainables.clearGradients();
    return { gradNorm };
  }

  exportState(): Promise<TrainableState> {
    return this.trainables.exportState();
  }

  importState(state: TrainableState): Promise<void> {
    return this.trainables.importState(state);
  }

  async dispose(): Promise<void> {
    this.trainables.dispose();
    this.frozen.dispose();
    await this.programs.dispose();
  }

  /** Embeddings, and what all blocks share. */
  private async prepare(batch: Batch): Promise<{ x: DeviceTensor; context: Tensors }> {
    const { batchSize, sequenceLength } = batch;
    const upload = this.device.upload.bind(this.device);
    const tables = ropeTables(this.config, sequenceLength);
    const tableShape = [sequenceLength, this.config.headDim / 2];
    const segments = new Map([['segment_ids', await upload('int32', [batchSize, sequenceLength], batch.segmentIds.slice())]]);
    const mask = await (await this.programs.mask(batch)).run(segments);
    this.releaseAll(segments);
    const context = new Map([
      ...mask,
      ['position_ids', await upload('int64', [batchSize, sequenceLength], BigInt64Array.from(batch.positionIds, BigInt))],
      ['cos', await upload('float32', tableShape, tables.cos)],
      ['sin', await upload('float32', tableShape, tables.sin)],
    ]);
    return { x: await this.embed(batch.inputIds), context };
  }

  /** ids [N] → x [N, H]. */
  private async embed(inputIds: Int32Array): Promise<DeviceTensor> {
    const ids = await this.device.upload('int32', [inputIds.length], inputIds.slice());
    let x = await this.device.zeros([inputIds.length, this.config.hiddenSize]);
    for (const { firstRow, weight } of this.frozen.embedding) {
      const program = await this.programs.embed(inputIds.length, weight.shape[0]!);
      const results = await program.run(
        new Map([['input_ids', ids], ['first_row', firstRow], ['embed_tokens.weight', weight], ['x_before', x]]),
      );
      this.device.release(x);
      x = results.get('x')!;
    }
    this.device.release(ids);
    return x;
  }

  /** Loss and its gradient at the last block's output, over chunks of the rows that have a label. */
  private async head(batch: Batch, x: DeviceTensor, withGradient: boolean): Promise<{ lossSum: number; dx: DeviceTensor | null }> {
    let sums = new Map([['loss_sum', await this.device.zeros([1, 1])]]);
    if (withGradient) sums.set('dx', await this.device.zeros(x.shape));
    for (const chunk of headChunks(batch)) {
      const before = beforeThis(sums);
      sums = await this.headChunk(chunk, x, before, withGradient);
      this.releaseAll(before);
    }
    const lossSum = sums.get('loss_sum')!;
    const [value] = await this.device.download(lossSum);
    this.device.release(lossSum);
    return { lossSum: value!, dx: sums.get('dx') ?? null };
  }

  private async headChunk(chunk: HeadChunk, x: DeviceTensor, sumsBefore: Tensors, withGradient: boolean): Promise<Map<string, DeviceTensor>> {
    const { device, programs, config, frozen } = this;
    const size = chunk.rows.length;
    const tokens = x.shape[0]!;
    const rows = await device.upload('int64', [size], chunk.rows);
    const labels = await device.upload('int32', [size], chunk.labels);
    const counted = await device.upload('float32', [size, 1], chunk.counted);
    const rowInputs: [string, DeviceTensor][] = [['x', x], ['rows', rows], ['norm.weight', frozen.norm]];

    const start = await (await programs.headRows(tokens, size)).run(new Map(rowInputs));
    const normed = start.get('normed')!;
    let state = new Map([
      ['maximum', start.get('maximum')!],
      ['sum', await device.zeros([size, 1])],
      ['label_rows', await device.zeros([size, config.hiddenSize])],
    ]);
    if (withGradient) state.set('weighted', await device.zeros([size, config.hiddenSize]));
    for (const { firstRow, weight } of frozen.head) {
      const slice = await programs.headSlice(size, weight.shape[0]!, withGradient);
      const before = beforeThis(state);
      state = await slice.run(new Map([...before, ['normed', normed], ['labels', labels], ['first_row', firstRow], ['lm_head.weight', weight]]));
      this.releaseAll(before);
    }
    const loss = await programs.headLoss(tokens, size, withGradient);
    const sums = await loss.run(new Map([...rowInputs, ...state, ...sumsBefore, ['counted', counted]]));
    this.releaseAll(state);
    [rows, labels, counted, normed].forEach((tensor) => device.release(tensor));
    return sums;
  }

  /** From the last layer down to the lowest adapted one; releases what the forward pass kept. */
  private async backward(batch: Batch, context: Tensors, kept: Tensors[], dOutput: DeviceTensor, dropoutSeed: number): Promise<void> {
    const lowest = Math.min(...this.trainables.layers.keys());
    let dy = dOutput;
    for (let layer = this.config.layerCount - 1; layer >= lowest; layer--) {
      const adapted = isAdapted(this.options.lora, layer);
      const program = await this.programs.backward(batch, { adapted, wantsInputGradient: layer > lowest });
      const masks = adapted ? await this.dropoutMasks(batch, dropoutSeed, layer) : new Map();
      const results = await this.runBlock(program, layer, [context, masks, kept[layer]!, new Map([['dy', dy]])]);
      this.releaseAll(masks);
      this.device.release(dy);
      for (const [name, tensor] of results) {
        if (name === 'dx') dy = tensor;
        else this.trainables.replace(layer, name.replace(/\.gradient$/, '.gradient_sum'), tensor);
      }
      this.releaseAll(kept[layer]!);
    }
    kept.slice(0, lowest).forEach((tensors) => this.releaseAll(tensors));
  }

  private runBlock(program: Executable, layer: number, tensors: readonly Tensors[]): Promise<Map<string, DeviceTensor>> {
    const trainables = this.trainables.layers.get(layer) ?? new Map<string, DeviceTensor>();
    return this.frozen.withLayer(layer, (weights) => program.run(new Map([weights, trainables, ...tensors].flatMap((map) => [...map]))));
  }

  private async dropoutMasks({ batchSize, sequenceLength }: Batch, dropoutSeed: number, layer: number): Promise<Tensors> {
    const { dropout, lora } = this.options;
    const masks = new Map<string, DeviceTensor>();
    if (dropout === 0) return masks;
    let index = 0;
    for (const [name, width] of dropoutMaskWidths(this.config, lora)) {
      const shape = [batchSize * sequenceLength, width];
      const mask = dropoutMask(shape, dropout, dropoutSeed, layer, index++);
      masks.set(name, await this.device.upload('uint8', shape, mask));
    }
    return masks;
  }

  /** Of the gradient sums: √ Σ g². */
  private async gradientNorm(): Promise<number> {
    const program = await this.programs.norm();
    let total = await this.device.zeros([]);
    for (const tensors of this.trainables.layers.values()) {
      const results = await program.run(new Map([...tensors, ['total_before', total]]));
      this.device.release(total);
      total = results.get('total')!;
    }
    const [squared] = await this.device.download(total);
    this.device.release(total);
    return Math.sqrt(squared!);
  }

  private async uploadScalars(scalars: UpdateScalars): Promise<Tensors> {
    const tensors = new Map<string, DeviceTensor>();
    for (const name of updateScalarNames) {
      tensors.set(name, await this.device.upload('float32', [], Float32Array.of(scalars[name])));
    }
    return tensors;
  }

  private releaseAll(tensors: Tensors): void {
    tensors.forEach((tensor) => this.device.release(tensor));
  }
}

/** Results of one run as the next run takes them. */
function beforeThis(results: Tensors): Map<string, DeviceTensor> {
  return new Map([...results].map(([name, tensor]) => [`${name}_before`, tensor]));
}

function updateScalars(options: UpdateOptions, clip: number): UpdateScalars {
  const { step, learningRate, beta1, beta2, epsilon, weightDecay, labelTokens } = options;
  return {
    gradient_scale: clip / labelTokens,
    beta1,
    one_minus_beta1: 1 - beta1,
    beta2,
    one_minus_beta2: 1 - beta2,
    epsilon,
    decay: 1 - learningRate * weightDecay,
    step_size: learningRate / (1 - beta1 ** step),
    inverse_root_correction2: 1 / Math.sqrt(1 - beta2 ** step),
  };
}
