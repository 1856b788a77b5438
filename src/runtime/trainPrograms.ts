import type { LoraShape } from '../core/adapters/lora.js';
import type { Program } from '../core/graph/types.js';
import type { ModelConfig } from '../core/models/config.js';
import type { MatrixForm } from '../core/models/frozenMatrix.js';
import type { LinearForms } from '../core/models/linear.js';
import { dropoutProgram } from '../core/train/dropout.js';
import { BlockGraph, clipProgram, maskProgram, updateProgram, type BatchShape } from '../core/train/programs.js';
import {
  embedProgram,
  headLogitsProgram,
  headLossProgram,
  headRowsProgram,
  headSliceProgram,
} from '../core/train/vocabularyPrograms.js';
import type { CompileOptions, Device, DeviceTensor, Executable } from './device.js';
import { disposeAll } from './disposal.js';

export interface TrainProgramOptions {
  readonly config: ModelConfig;
  /** Null means the base model alone, for which no training programs exist. */
  readonly lora: LoraShape | null;
  readonly dropout: number;
  /** Whether the forward pass keeps activations for the backward pass, which otherwise recomputes them. */
  readonly keepActivations: boolean;
}

/** The properties in which the programs of two layers may differ. */
export interface BlockVariant {
  readonly forms: LinearForms;
  /** Index into config.attentionKinds. */
  readonly attentionKind: number;
  readonly adapted: boolean;
}

/**
 * Enough for the programs of eight batch lengths, and of as many frequent numbers of labelled rows. Each holds half a megabyte
 * and, on the CPU, its own threads.
 */
const maxCompiled = 128;

/** Compiles training programs on demand for each batch shape, and keeps the most recently used ones. */
export class TrainPrograms {
  /** Most recently used last. */
  private readonly compiled = new Map<string, Executable>();

  constructor(
    private readonly device: Device,
    private readonly options: TrainProgramOptions,
  ) {}

  mask = (shape: BatchShape, window: number | null): Promise<Executable> =>
    this.once(`mask ${text(shape)} ${window}`, () => maskProgram(this.options.config, shape, window, this.device.kind), light);

  embed = (tokens: number, sliceRows: number, form: MatrixForm): Promise<Executable> =>
    this.once(`embed ${tokens} ${sliceRows} ${form}`, () => embedProgram(this.options.config, tokens, sliceRows, form), light);

  forward = (shape: BatchShape, variant: BlockVariant & { training: boolean }): Promise<Executable> =>
    this.once(`forward ${text(shape)} ${JSON.stringify(variant)}`, () =>
      this.block(shape, variant).forward(variant.training && this.options.keepActivations),
    );

  loudestInputs = (shape: BatchShape, variant: BlockVariant): Promise<Executable> =>
    this.once(`loudest ${text(shape)} ${JSON.stringify(variant)}`, () =>
      this.block(shape, { ...variant, training: false }).loudestInputs(),
    );

  /** The outputs of a training forward pass, determined without compiling anything. */
  kept(shape: BatchShape, variant: BlockVariant): Pick<DeviceTensor, 'dtype' | 'shape'>[] {
    return [
      ...this.block(shape, { ...variant, training: true })
        .forward(this.options.keepActivations)
        .outputs.values(),
    ];
  }

  backward = (shape: BatchShape, variant: BlockVariant & { wantsInputGradient: boolean }): Promise<Executable> =>
    this.once(`backward ${text(shape)} ${JSON.stringify(variant)}`, () =>
      this.block(shape, { ...variant, training: true }).backward(this.options.keepActivations, variant.wantsInputGradient),
    );

  headRows = (tokens: number, chunk: number): Promise<Executable> =>
    this.once(`head rows ${tokens} ${chunk}`, () => headRowsProgram(this.options.config, tokens, chunk), light);

  headSlice = (chunk: number, sliceRows: number, form: MatrixForm, withGradient: boolean): Promise<Executable> =>
    this.once(`head slice ${chunk} ${sliceRows} ${form} ${withGradient}`, () =>
      headSliceProgram(this.options.config, chunk, sliceRows, form, withGradient),
    );

  headLogits = (rows: number, sliceRows: number, form: MatrixForm): Promise<Executable> =>
    this.once(`head logits ${rows} ${sliceRows} ${form}`, () => headLogitsProgram(this.options.config, rows, sliceRows, form));

  headLoss = (tokens: number, chunk: number, withGradient: boolean): Promise<Executable> =>
    this.once(
      `head loss ${tokens} ${chunk} ${withGradient}`,
      () => headLossProgram(this.options.config, tokens, chunk, withGradient),
      light,
    );

  dropout = (rows: number): Promise<Executable> =>
    this.once(`dropout ${rows}`, () => dropoutProgram(this.options.config, this.lora, this.options.dropout, rows));

  clip = (): Promise<Executable> => this.once('clip', () => clipProgram(this.options.config, this.lora));
  update = (): Promise<Executable> => this.once('update', () => updateProgram(this.options.config, this.lora));

  async dispose(): Promise<void> {
    await disposeAll(this.compiled.values());
    this.compiled.clear();
  }

  private get lora(): LoraShape {
    if (this.options.lora) return this.options.lora;
    throw new Error('There is no adapter to train.');
  }

  private block(
    shape: BatchShape,
    { forms, attentionKind, adapted, training }: BlockVariant & { training: boolean },
  ): BlockGraph {
    const { config, lora, dropout } = this.options;
    return new BlockGraph({
      config,
      shape,
      attentionKind,
      device: this.device.kind,
      forms,
      lora: adapted ? lora : null,
      dropout: training ? dropout : 0,
    });
  }

  private async once(key: string, build: () => Program, options: CompileOptions = {}): Promise<Executable> {
    const executable = this.compiled.get(key) ?? (await this.device.compile(build(), options));
    this.compiled.delete(key);
    this.compiled.set(key, executable);
    if (this.compiled.size > maxCompiled) await this.forgetOldest();
    return executable;
  }

  private async forgetOldest(): Promise<void> {
    const [key, executable] = this.compiled.entries().next().value!;
    this.compiled.delete(key);
    await executable.dispose();
  }
}

const light: CompileOptions = { light: true };

function text({ batchSize, sequenceLength }: BatchShape): string {
  return `${batchSize}×${sequenceLength}`;
}
