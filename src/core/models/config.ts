import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { LinearName } from './linears.js';
import { ropeFrequencies } from './rope.js';

/** Rotary scaling for longer contexts. https://huggingface.co/docs/transformers/internal/rope_utils */
export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  /** One divisor per frequency, as in GGUF files (rope_freqs.weight). */
  | { readonly type: 'factors'; readonly factors: readonly number[] }
  | {
      readonly type: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContextLength: number;
    }
  /** https://arxiv.org/abs/2309.00071 */
  | {
      readonly type: 'yarn';
      readonly factor: number;
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Factor for cos and sin. */
      readonly attentionFactor: number;
      readonly originalContextLength: number;
      /** Whether the bounds of the blended frequencies are rounded to whole numbers. */
      readonly truncate: boolean;
    };

export interface RopeSettings {
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** How a layer's tokens attend to each other. */
export interface AttentionKind {
  /** Null means no rotation (https://arxiv.org/abs/2305.19466). */
  readonly rope: RopeSettings | null;
  /** Size of the attention window, including the current token; null means unlimited. */
  readonly window: number | null;
}

/** The hyperparameters of a decoder, under their config.json names in camelCase. */
export interface ModelConfig {
  /** Name of the family in the registry. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  /** Number of query heads. */
  readonly headCount: number;
  /** Number of key/value heads; fewer than headCount in grouped-query attention (https://arxiv.org/abs/2305.13245). */
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly rmsNormEpsilon: number;
  readonly contextLength: number;
  readonly tiedEmbeddings: boolean;
  /** The linears that have a bias. */
  readonly biases: readonly LinearName[];
  /** The kinds of attention that occur among the layers. */
  readonly attentionKinds: readonly AttentionKind[];
  /** Each layer's index into attentionKinds; the pattern repeats for further layers. */
  readonly layerPattern: readonly number[];
  /** Factor for attention scores; defaults to 1/√headDim. */
  readonly attentionScale?: number;
  /** Factor for embeddings; defaults to 1. */
  readonly embeddingScale?: number;
}

/** The settings that all families read in the same way. */
export type ModelSizes = Omit<
  ModelConfig,
  'family' | 'biases' | 'attentionKinds' | 'layerPattern' | 'attentionScale' | 'embeddingScale'
>;

/** Index of a layer's kind of attention; layers of the same kind have the same programs. */
export function attentionKindOf({ layerPattern }: ModelConfig, layer: number): number {
  return layerPattern[layer % layerPattern.length]!;
}

/** Throws UserError('file-corrupt') if the numbers contradict each other or are absurd. */
export function checkedConfig(config: ModelConfig, file: string): ModelConfig {
  const refuse = (defect: string): never => {
    throw new UserError('file-corrupt', `${file}: ${defect}.`);
  };
  for (const [name, limit] of Object.entries(limits) as [keyof typeof limits, number][]) {
    if (config[name] > limit) refuse(t`${name} is ${config[name]}, which no model has`);
  }
  const { headCount, keyValueHeadCount, headDim } = config;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    refuse(t`the head size is ${headDim}, but rotary embedding needs an even whole number`);
  }
  if (headCount % keyValueHeadCount !== 0) {
    refuse(t`${headCount} query heads cannot share ${keyValueHeadCount} key/value heads evenly`);
  }
  const ropes = config.attentionKinds.flatMap(({ rope }) => rope ?? []);
  if (!ropes.every((rope) => ropeFrequencies(rope, headDim).every((frequency) => frequency > 0 && frequency < Infinity))) {
    refuse(t`its rope theta and scaling give frequencies that are no numbers`);
  }
  return config;
}

/** Throws UserError('config-invalid') if the setting asks for sequences longer than the model can read. */
export function checkSequenceLength({ contextLength }: ModelConfig, length: number, setting: string): void {
  if (length <= contextLength) return;
  const message = t`${setting} is ${length}, but the model reads at most ${contextLength} tokens. Lower it.`;
  throw new UserError('config-invalid', message);
}

/** Well above any real model: larger values mean a damaged file, and would cost memory before the damage shows. */
const limits = {
  vocabSize: 2 ** 22,
  hiddenSize: 2 ** 17,
  intermediateSize: 2 ** 20,
  layerCount: 1024,
  headCount: 4096,
  headDim: 4096,
  contextLength: 2 ** 27,
  rmsNormEpsilon: 1,
} as const;
