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
    };

/** The hyper-parameters of a LlamaForCausalLM, under the names of its config.json in camelCase. */
export interface LlamaConfig {
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
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly contextLength: number;
  readonly tiedEmbeddings: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
}
