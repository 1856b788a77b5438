import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { LinearName } from './linears.js';
import { ropeFrequencies } from './rope.js';

/** Rotary scaling for longer contexts. https://huggingface.co/docs/transformers/internal/rope_utils */
export type RopeScaling =
  | { readonly type: 'none' }
  | { readonly type: 'linear'; readonly factor: number }
  /** One divisor for each frequency, as GGUF files carry them (rope_freqs.weight). */
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
      /** cos and sin are multiplied by it. */
      readonly attentionFactor: number;
      readonly originalContextLength: number;
      /** Whether the borders of the blended frequencies are whole numbers. */
      readonly truncate: boolean;
    };

export interface RopeSettings {
  readonly theta: number;
  readonly scaling: RopeScaling;
}

/** How the tokens of a layer see each other. */
export interface AttentionKind {
  /** Null: nothing is rotated (https://arxiv.org/abs/2305.19466). */
  readonly rope: RopeSettings | null;
  /** So many tokens are seen, the own one among them; null: all before. */
  readonly window: number | null;
}

/** The hyper-parameters of a decoder, under the names of its config.json in camelCase. */
export interface ModelConfig {
  /** Of the registry. */
  readonly family: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  /** Query heads. */
  readonly headCount: number;
  /** Key/value heads; fewer than headCount in grouped-query attention (https://arxiv.org/abs/2305.13245). */
  readonly keyValueHeadCount: number;
  readonly headDim: number;
  readonly rmsNormEpsilon: number;
  readonly contextLength: number;
  readonly tiedEmbeddings: boolean;
  /** The linears that have one. */
  readonly biases: readonly LinearName[];
  /** In which ways the layers attend. */
  readonly attentionKinds: readonly AttentionKind[];
  /** Each layer's index of attentionKinds; further layers repeat the pattern. */
  readonly layerPattern: readonly number[];
  /** What scores are multiplied by; 1/√headDim unless given. */
  readonly attentionScale?: number;
  /** What embeddings are multiplied by; 1 unless given. */
  readonly embeddingScale?: number;
}

/** What all families read alike. */
export type ModelSizes = Omit<
  ModelConfig,
  'family' | 'biases' | 'attentionKinds' | 'layerPattern' | 'attentionScale' | 'embeddingScale'
>;

/** The index of a layer's kind of attention: layers of a kind have the same programs. */
export function attentionKindOf({ layerPattern }: ModelConfig, layer: number): number {
  return layerPattern[layer % layerPattern.length]!;
}

/** Throws UserError('file-corrupt') where the numbers contradict each other or are absurd. */
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

/** Throws UserError('config-invalid') where the setting asks for sequences longer than the model was made to read. */
export function checkSequenceLength({ contextLength }: ModelConfig, length: number, setting: string): void {
  if (length <= contextLength) return;
  const message = t`${setting} is ${length}, but the model reads at most ${contextLength} tokens. Lower it.`;
  throw new UserError('config-invalid', message);
}

/** Well above any model's: what exceeds them is damage, and would cost memory before it shows as such. */
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
