/** @file Training with ONNX Runtime: runs the programs of core/train/programs.ts over the layers of a model. */
import { adaptedLayers, isAdapted, type LoraShape } from '../core/adapters/lora.js';
import { UserError } from '../core/errors.js';
import type { Batch } from '../core/data/batch.js';
import { attentionKindOf, type AttentionKind, type ModelConfig } from '../core/models/config.js';
import { headChunks, type HeadChunk } from '../core/train/headChunks.js';
import type { BatchShape, UpdateScalars } from '../core/train/programs.js';
import { headSmoothing } from '../core/train/vocabularyPrograms.js';
import type { BatchLoss, StepRunner, TrainableState, UpdateOptions } from '../core/train/stepRunner.js';
import { t } from '../l10n/text.js';
import { attentionInputs, type AttentionInputs } from './attentionInputs.js';
import type { Device, DeviceTensor, Executable } from './device.js';
import { DropoutMasks, type BatchDropout } from './dropoutMasks.js';
import type { FrozenWeights } from './frozenWeights.js';
import { uploadRopeTables } from './ropeTensors.js';
import { Trainables } from './trainables.js';
import { TrainPrograms, type BlockVariant } from './trainPrograms.js';

export interface OnnxStepRunnerOptions {
  /** The base on the device where everything else will be too. It remains the caller's. */
  readonly frozen: FrozenWeights;
  /** Null means the base model alone, whose loss can be measured. */
  readonly lora: LoraShape | null;
  readonly dropout: number;
  /** Recompute activations in the backward pass instead of keeping them. */
  readonly gradientCheckpointing: boolean;
  readonly initialState: TrainableState;
  /** The largest batch that will occur. */
  readonly batch: BatchShape;
}

type Tensors = ReadonlyMap<string, DeviceTensor>;

/** Inputs shared by the blocks of a batch; `release` leaves x. */
interface SharedInputs extends AttentionInputs {
  /** Embeddings, [N, H]. */
  readonly x: DeviceTensor;
}

/** Makes an adapter trainable on a loaded base model. */
export async function createOnnxStepRunner({ initialState, ...options }: OnnxStepRunnerOptions): Promise<StepRunner> {
  const { frozen, lora } = options;
  const trainables = new Trainables(frozen.device, frozen.store.config, lora);
  await trainables.importState(initialState);
  const runner = new OnnxStepRunner(options, trainables);
  runner.reserve(options.batch);
  return runner;
}

class OnnxStepRunner implements StepRunner {
  readonly description: string;
  private readonly config: ModelConfig;
  private readonly device: Device;
  private readonly frozen: FrozenWeights;
  private readonly programs: TrainPrograms;
  /** Null if there is nothing to train. */
  private readonly dropout: DropoutMasks | null;
  /** The lowest adapted layer; Infinity if there is none. No gradient goes below it, so nothing is kept there. */
  private readonly lowest: number;
  /** cos and sin by kind of attention and sequence length. */
  private readonly ropes = new Map<string, Tensors>();

  /** Whether all parameters are from the same step. */
  private isWhole = true;

  constructor(
    private readonly options: Omit<OnnxStepRunnerOptions, 'initialState'>,
    private readonly trainables: Trainables,
  ) {
    const { frozen, lora, dropout, gradientCheckpointing } = options;
    const { device } = frozen;
    this.frozen = frozen;
    this.config = frozen.store.config;
    this.lowest = Math.min(...adaptedLayers(this.config, lora));
    this.device = device;
    this.description = t`${device.description}, ${frozen.options.dtype} base`;
    this.programs = new TrainPrograms(device, { config: this.config, lora, dropout, keepActivations: !gradientCheckpointing });
    this.dropout = lora && new DropoutMasks(device, this.programs, { config: this.config, lora, dropout });
  }

  /** Reserves memory for what the forward pass of such a batch keeps; shorter batches reuse it (CpuDevice). */
  reserve(batch: BatchShape): void {
    const layers = Array.from({ length: this.config.layerCount }, (_, layer) => this.variant(layer)).slice(this.lowest);
    // Layers keep the same tensors, however their weights are held and their tokens attend.
    const kinds = new Map(layers.map((variant) => [variant.adapted, variant]));
    const kept = new Map([...kinds].map(([adapted, variant]) => [adapted, this.programs.kept(batch, variant)]));
    this.device.reserve(layers.flatMap(({ adapted }) => kept.get(adapted)!));
  }

  async accumulate(batch: Batch, dropoutSeed: number): Promise<BatchLoss> {
    if (!this.dropout) throw new Error('There is no adapter to train.');
    const shared = await this.prepare(batch);
    const dropout = await this.dropout.forBatch(batch, dropoutSeed);
    const kept = new Map<number, Tensors>();
    let x = shared.x;
    for (let layer = 0; layer < this.config.layerCount; layer++) {
      const training = layer >= this.lowest;
      const forward = await this.programs.forward(batch, { ...this.variant(layer), training });
      const masks = await dropout.masks(layer);
      const results = await this.runBlock(forward, layer, [shared.attention(layer), masks, new Map([['x', x]])]);
      this.releaseAll(masks);
      const y = results.get('y')!;
      results.delete('y');
      if (training) kept.set(layer, results.set('x', x));
      else this.device.release(x);
      x = y;
    }
    const { lossSum, dx } = await this.head(batch, x, true);
    this.device.release(x);
    await this.backward(batch, shared, kept, dx!, dropout);
    dropout.release();
    shared.release();
    return { lossSum, labelTokens: batch.labelTokens };
  }

  async evaluate(batch: Batch): Promise<BatchLoss> {
    const shared = await this.prepare(batch);
    let x = shared.x;
    for (let layer = 0; layer < this.config.layerCount; layer++) {
      const forward = await this.programs.forward(batch, { ...this.variant(layer), training: false });
      const results = await this.runBlock(forward, layer, [shared.attention(layer), new Map([['x', x]])]);
      this.device.release(x);
      x = results.get('y')!;
    }
    const { lossSum } = await this.head(batch, x, false);
    this.device.release(x);
    shared.release();
    return { lossSum, labelTokens: batch.labelTokens };
  }

  async update(options: UpdateOptions): Promise<{ gradNorm: number }> {
    this.isWhole = false;
    const { norm, gradient_scale } = await this.clip(options);
    const scalars = new Map([...(await this.uploadScalars(updateScalars(options))), ['gradient_scale', gradient_scale]]);
    const program = await this.programs.update();
    for (const [layer, tensors] of this.trainables.layers) {
      const results = await program.run(new Map([...tensors, ...scalars]));
      for (const [name, tensor] of results) this.trainables.replace(layer, name.replace(/\.next$/, ''), tensor);
    }
    this.releaseAll(scalars);
    const [gradNorm] = await this.device.download(norm); // completes only after all updates
    this.device.release(norm);
    this.isWhole = true;
    return { gradNorm: gradNorm! };
  }

  async exportState(): Promise<TrainableState> {
    if (!this.isWhole) throw new UserError('device-failed', t`The device failed amid an update.`);
    return this.trainables.exportState();
  }

  async importState(state: TrainableState): Promise<void> {
    await this.trainables.importState(state);
    this.isWhole = true;
  }

  async dispose(): Promise<void> {
    this.trainables.dispose();
    this.dropout?.dispose();
    this.ropes.forEach((rope) => this.releaseAll(rope));
    await this.programs.dispose();
  }

  /** Embeddings, and the other inputs that blocks share. */
  private async prepare(batch: Batch): Promise<SharedInputs> {
    const rope = this.rope.bind(this);
    const inputs = await attentionInputs({ device: this.device, programs: this.programs, config: this.config, rope }, batch);
    return { ...inputs, x: await this.embed(batch.inputIds) };
  }

  /** The tables are kept, because batch lengths recur. */
  private async rope(index: number, { rope }: AttentionKind, sequenceLength: number): Promise<Tensors> {
    const key = `${index} ${sequenceLength}`;
    const tables = this.ropes.get(key) ?? (await uploadRopeTables(this.device, rope!, this.config.headDim, sequenceLength));
    this.ropes.set(key, tables);
    return tables;
  }

  /** ids [N] → x [N, H]. */
  private async embed(inputIds: Int32Array): Promise<DeviceTensor> {
    const ids = await this.device.upload('int32', [inputIds.length], inputIds.slice());
    let x = await this.device.zeros([inputIds.length, this.config.hiddenSize]);
    const { form, slices } = this.frozen.embedding;
    for (const { firstRow, rows, parts } of slices) {
      const program = await this.programs.embed(inputIds.length, rows, form);
      const results = await program.run(
        new Map([['input_ids', ids], ['first_row', firstRow], ['x_before', x], ...named('embed_tokens.weight', parts)]),
      );
      this.device.release(x);
      x = results.get('x')!;
    }
    this.device.release(ids);
    return x;
  }

  /** Loss and its gradient at the last block's output, in chunks of the rows that have a label. */
  private async head(
    batch: Batch,
    x: DeviceTensor,
    withGradient: boolean,
  ): Promise<{ lossSum: number; dx: DeviceTensor | null }> {
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

  private async headChunk(
    chunk: HeadChunk,
    x: DeviceTensor,
    sumsBefore: Tensors,
    withGradient: boolean,
  ): Promise<Map<string, DeviceTensor>> {
    const { device, programs, config, frozen } = this;
    const size = chunk.rows.length;
    const tokens = x.shape[0]!;
    const rows = await device.upload('int32', [size], chunk.rows);
    const labels = await device.upload('int32', [size], chunk.labels);
    const counted = await device.upload('float32', [size, 1], chunk.counted);
    const rowInputs: [string, DeviceTensor][] = [
      ['x', x],
      ['rows', rows],
      ['norm.weight', frozen.norm],
    ];

    const start = await (await programs.headRows(tokens, size)).run(new Map(rowInputs));
    const normed = start.get('normed')!;
    let state = new Map([
      ['log_sum_exp', start.get('log_sum_exp')!],
      ['label_logits', await device.zeros([size, 1])],
    ]);
    if (withGradient) {
      for (const name of ['expected', 'label_rows']) state.set(name, await device.zeros([size, config.hiddenSize]));
    }
    const { form, slices, smoothing } = frozen.head;
    const fixed: [string, DeviceTensor][] = [
      ['normed', normed],
      ['labels', labels],
      ...(smoothing ? [[headSmoothing, smoothing] as [string, DeviceTensor]] : []),
    ];
    for (const { firstRow, rows: sliceRows, parts } of slices) {
      const slice = await programs.headSlice(size, sliceRows, form, withGradient);
      const before = beforeThis(state);
      state = await slice.run(new Map([...before, ...fixed, ['first_row', firstRow], ...named('lm_head.weight', parts)]));
      this.releaseAll(before);
    }
    const loss = await programs.headLoss(tokens, size, withGradient);
    const sums = await loss.run(new Map([...rowInputs, ...state, ...sumsBefore, ['counted', counted]]));
    this.releaseAll(state);
    [rows, labels, counted, normed].forEach((tensor) => device.release(tensor));
    return sums;
  }

  /** Runs from the last layer down to the lowest adapted one; releases what the forward pass kept. */
  private async backward(
    batch: Batch,
    shared: SharedInputs,
    kept: ReadonlyMap<number, Tensors>,
    dOutput: DeviceTensor,
    dropout: BatchDropout,
  ): Promise<void> {
    let dy = dOutput;
    for (let layer = this.config.layerCount - 1; layer >= this.lowest; layer--) {
      const program = await this.programs.backward(batch, { ...this.variant(layer), wantsInputGradient: layer > this.lowest });
      const masks = await dropout.masks(layer);
      const results = await this.runBlock(program, layer, [
        shared.attention(layer),
        masks,
        kept.get(layer)!,
        new Map([['dy', dy]]),
      ]);
      this.releaseAll(masks);
      this.device.release(dy);
      for (const [name, tensor] of results) {
        if (name === 'dx') dy = tensor;
        else this.trainables.replace(layer, name.replace(/\.next$/, ''), tensor);
      }
      this.releaseAll(kept.get(layer)!);
    }
  }

  private variant(layer: number): BlockVariant {
    return {
      forms: this.frozen.forms(layer),
      attentionKind: attentionKindOf(this.config, layer),
      adapted: isAdapted(this.options.lora, layer),
    };
  }

  private runBlock(program: Executable, layer: number, tensors: readonly Tensors[]): Promise<Map<string, DeviceTensor>> {
    const trainables = this.trainables.layers.get(layer) ?? new Map<string, DeviceTensor>();
    return this.frozen.withLayer(layer, (weights) =>
      program.run(new Map([weights, trainables, ...tensors].flatMap((map) => [...map]))),
    );
  }

  /** Computes the gradient's norm from the gradient sums, and the factor that the update multiplies them by. */
  private async clip({ labelTokens, maxGradNorm }: UpdateOptions): Promise<{ norm: DeviceTensor; gradient_scale: DeviceTensor }> {
    const scalars = await this.uploadScalars({
      label_tokens: labelTokens,
      max_norm: maxGradNorm > 0 ? maxGradNorm : neverReached,
    });
    const gradients = [...this.trainables.layers].map(([layer, tensors]): [string, DeviceTensor] => [
      `gradient_sum.${layer}`,
      tensors.get('gradient_sum')!,
    ]);
    const results = await (await this.programs.clip()).run(new Map([...gradients, ...scalars]));
    this.releaseAll(scalars);
    return { norm: results.get('norm')!, gradient_scale: results.get('gradient_scale')! };
  }

  private async uploadScalars(scalars: Readonly<Record<string, number>>): Promise<Map<string, DeviceTensor>> {
    const tensors = new Map<string, DeviceTensor>();
    for (const [name, value] of Object.entries(scalars))
      tensors.set(name, await this.device.upload('float32', [], Float32Array.of(value)));
    return tensors;
  }

  private releaseAll(tensors: Tensors): void {
    tensors.forEach((tensor) => this.device.release(tensor));
  }
}

/** The parts of a matrix, keyed by suffix, under their full names. */
function named(matrix: string, parts: Tensors): [string, DeviceTensor][] {
  return [...parts].map(([suffix, tensor]) => [matrix + suffix, tensor]);
}

/** Results of one run, named as the next run's inputs. */
function beforeThis(results: Tensors): Map<string, DeviceTensor> {
  return new Map([...results].map(([name, tensor]) => [`${name}_before`, tensor]));
}

/** A norm that no gradient reaches; even divided by the smallest norm, it is still finite in fp32. */
const neverReached = 1e30;

function updateScalars({ step, learningRate, beta1, beta2, epsilon, weightDecay }: UpdateOptions): UpdateScalars {
  return {
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
