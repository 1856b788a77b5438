/** @file A model's config as config.json: the inverse of huggingFaceFields.ts. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { ModelConfig, RopeScaling, RopeSettings } from './config.js';
import { ropeFrequencies } from './rope.js';

type Json = Readonly<Record<string, unknown>>;

/** The settings that all families write in the same way. */
export function huggingFaceSizes(config: ModelConfig): Json {
  return {
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layerCount,
    num_attention_heads: config.headCount,
    num_key_value_heads: config.keyValueHeadCount,
    head_dim: config.headDim,
    rms_norm_eps: config.rmsNormEpsilon,
    max_position_embeddings: config.contextLength,
    tie_word_embeddings: config.tiedEmbeddings,
  };
}

export function huggingFaceBiases({ biases }: ModelConfig): Json {
  return { attention_bias: biases.includes('q_proj'), mlp_bias: biases.includes('gate_proj') };
}

/** The two entries that every version of transformers reads. */
export function huggingFaceRope(rope: RopeSettings, headDim: number): Json {
  return { rope_theta: rope.theta, rope_scaling: scalingJson(rope, headDim) };
}

function scalingJson({ theta, scaling }: RopeSettings, headDim: number): Json | null {
  switch (scaling.type) {
    case 'none':
      return null;
    case 'linear':
      return { rope_type: 'linear', factor: scaling.factor };
    case 'factors':
      return llama3Json(llama3Of(scaling.factors, theta, headDim));
    case 'llama3':
      return llama3Json(scaling);
    case 'yarn':
      return {
        rope_type: 'yarn',
        factor: scaling.factor,
        beta_fast: scaling.betaFast,
        beta_slow: scaling.betaSlow,
        attention_factor: scaling.attentionFactor,
        original_max_position_embeddings: scaling.originalContextLength,
        truncate: scaling.truncate,
      };
  }
}

type Llama3Scaling = Extract<RopeScaling, { type: 'llama3' }>;

function llama3Json({ factor, lowFrequencyFactor, highFrequencyFactor, originalContextLength }: Llama3Scaling): Json {
  return {
    rope_type: 'llama3',
    factor,
    low_freq_factor: lowFrequencyFactor,
    high_freq_factor: highFrequencyFactor,
    original_max_position_embeddings: originalContextLength,
  };
}

/** The settings behind a list of divisors: those of LLaMA 3.1 and later differ only in the factor, the largest divisor. */
function llama3Of(factors: readonly number[], theta: number, headDim: number): Llama3Scaling {
  const published = { lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192 };
  const scaling: Llama3Scaling = { type: 'llama3', factor: Math.max(...factors), ...published };
  const found = ropeFrequencies({ theta, scaling: { type: 'factors', factors } }, headDim);
  const expected = ropeFrequencies({ theta, scaling }, headDim);
  if (expected.every((frequency, index) => Math.abs(frequency - found[index]!) <= 1e-4 * frequency)) return scaling;
  throw new UserError(
    'file-unsupported',
    t`A config.json cannot express this model: its rotary frequencies are not scaled as in LLaMA 3. Export it as GGUF.`,
  );
}
