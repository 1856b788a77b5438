import type { LoraShape } from '../core/adapters/lora.js';
import type { Program } from '../core/graph/types.js';
import type { LlamaConfig } from '../core/llama/config.js';
import type { MatrixForm } from '../core/llama/frozenMatrix.js';
import type { LinearForms } from '../core/llama/linear.js';
import { dropoutProgram } from '../core/train/dropout.js';
import {
  BlockGraph,
  clipProgram,
  maskProgram,
  updateProgram,
  type BatchShape,
} from '../core/train/programs.js';
import { embedProgram, headLossProgram, headRowsProgram, headSliceProgram } from '../core/train/vocabularyPrograms.js';
import type { Device, Executable } from './device.js';

export interface TrainProgramOptions {
  readonly config: LlamaConfig;
  readonly lora: LoraShape;
  readonly dropout: number;
  /** Whether the forward pass keeps activations for the backward pass, which otherwise computes them again. */
  readonly keepActivations: boolean;
}

/** What the programs of two layers may differ in. */
export interface BlockVariant {
  readonly forms: LinearForms;
  readonly adapted: boolean;
}

/** Compiles the programs of training when they are first wanted, once for each batch shape. */
export class TrainPrograms {
  private readonly compiled = new Map<string, Promise<Executable>>();

  constructor(
    private readonly device: Device,
    private readonly options: TrainProgramOptions,
  ) {}

  mask = (shape: BatchShape): Promise<Executable> => this.once(`mask ${text(shape)}`, () => maskProgram(this.options.config, shape, this.device.kind));

  embed = (tokens: number, sliceRows: number, form: MatrixForm): Promise<Executable> =>
    this.once(`embed ${tokens} ${sliceRows} ${form}`, () => embedProgram(this.options.config, tokens, sliceRows, form));

  forward = (shape: BatchShape, variant: BlockVariant & { training: boolean }): Promise<Executable> =>
    this.once(`forward ${text(shape)} ${JSON.stringify(variant)}`, () =>
      this.block(shape, variant).forward(variant.training && this.options.keepActivations),
    );

  backward = (shape: BatchShape, variant: BlockVariant & { wantsInputGradient: boolean }): Promise<Executable> =>
    this.once(`backward ${text(shape)} ${JSON.stringify(variant)}`, () =>
      this.block(shape, { ...variant, training: true }).backward(this.options.keepActivations, variant.wantsInputGradient),
    );

  headRows = (tokens: number, chunk: number): Promise<Executable> =>
    this.once(`head rows ${tokens} ${chunk}`, () => headRowsProgram(this.options.config, tokens, chunk));

  headSlice = (chunk: number, sliceRows: number, form: MatrixForm, withGradient: boolean): Promise<Executable> =>
    this.once(`head slice ${chunk} ${sliceRows} ${form} ${withGradient}`, () => headSliceProgram(this.options.config, chunk, sliceRows, form, withGradient));

  headLoss = (tokens: number, chunk: number, withGradient: boolean): Promise<Executable> =>
    this.once(`head loss ${tokens} ${chunk} ${withGradient}`, () => headLossProgram(this.options.config, tokens, chunk, withGradient));

  dropout = (rows: number): Promise<Executable> =>
    this.once(`dropout ${rows}`, () => dropoutProgram(this.options.config, this.options.lora, this.options.dropout, rows));

  clip = (): Promise<Executable> => this.once('clip', () => clipProgram(this.options.config, this.options.lora));
  update = (): Promise<Executable> => this.once('update', () => updateProgram(this.options.config, this.options.lora));

  async dispose(): Promise<void> {
    for (const executable of this.compiled.values()) await (await executable).dispose();
    this.compiled.clear();
  }

  private block(shape: BatchShape, { forms, adapted, training }: BlockVariant & { training: boolean }): BlockGraph {
    const { config, lora, dropout } = this.options;
    return new BlockGraph({ config, shape, device: this.device.kind, forms, lora: adapted ? lora : null, dropout: training ? dropout : 0 });
  }

  private once(key: string, build: () => Program): Promise<Executable> {
    const known = this.compiled.get(key);
    if (known) return known;
    const compiling = this.device.compile(build());
    this.compiled.set(key, compiling);
    return compiling;
  }
}

function text({ batchSize, sequenceLength }: BatchShape): string {
  return `${batchSize}×${sequenceLength}`;
}
