/** @file A model's config as GGUF metadata: the inverse of ggufFields.ts. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { ggufValue, type GgufMetadata } from '../formats/ggufHeader.js';
import type { AttentionKind, ModelConfig, RopeScaling, RopeSettings } from './config.js';
import { yarnAttentionFactor } from './huggingFaceFields.js';
import { ropeFrequencies } from './rope.js';

/** Throws UserError('file-unsupported'): llama.cpp would compute something else from such a file. */
export function notInGguf(what: string): never {
  throw new UserError(
    'file-unsupported',
    t`GGUF cannot express this model: ${what}. Export it as "merged", which is a Hugging Face folder.`,
  );
}

/** The entries of a model in which all layers rotate alike and have no attention window. */
export function plainGgufConfig(architecture: string, config: ModelConfig): GgufMetadata {
  const [kind, ...others] = config.attentionKinds as [AttentionKind, ...AttentionKind[]];
  if (others.length > 0 || kind.window !== null) notInGguf(t`its attention has a window`);
  return new Map([...ggufSizes(architecture, config), ...ggufRope(architecture, kind.rope!)]);
}

export function ggufSizes(architecture: string, config: ModelConfig): GgufMetadata {
  const numbers = {
    context_length: config.contextLength,
    embedding_length: config.hiddenSize,
    block_count: config.layerCount,
    feed_forward_length: config.intermediateSize,
    vocab_size: config.vocabSize,
    'attention.head_count': config.headCount,
    'attention.head_count_kv': config.keyValueHeadCount,
    'attention.key_length': config.headDim,
    'attention.value_length': config.headDim,
    'rope.dimension_count': config.headDim,
  };
  return new Map([
    ['general.architecture', ggufValue.string(architecture)],
    ...Object.entries(numbers).map(([key, value]): [string, Uint8Array] => [`${architecture}.${key}`, ggufValue.uint32(value)]),
    [`${architecture}.attention.layer_norm_rms_epsilon`, ggufValue.float32(config.rmsNormEpsilon)],
  ]);
}

/** LLaMA 3's scaling is a tensor instead (ggufRopeFactors). */
export function ggufRope(architecture: string, { theta, scaling }: RopeSettings): GgufMetadata {
  const hasFactors = scaling.type === 'llama3' || scaling.type === 'factors';
  if (hasFactors && architecture !== 'llama') notInGguf(t`llama.cpp scales only LLaMA's frequencies one by one`);
  const own = (key: string): string => `${architecture}.rope.${key}`;
  return new Map([
    [own('freq_base'), ggufValue.float32(theta)],
    ...[...scalingEntries(scaling)].map(([key, value]): [string, Uint8Array] => [own(`scaling.${key}`), value]),
  ]);
}

function scalingEntries(scaling: RopeScaling): GgufMetadata {
  switch (scaling.type) {
    case 'none':
    case 'llama3':
    case 'factors':
      return new Map();
    case 'linear':
      return new Map([
        ['type', ggufValue.string('linear')],
        ['factor', ggufValue.float32(scaling.factor)],
      ]);
    case 'yarn':
      if (!scaling.truncate) notInGguf(t`its rope scaling has bounds that are not rounded`);
      return new Map([
        ['type', ggufValue.string('yarn')],
        ['factor', ggufValue.float32(scaling.factor)],
        ['original_context_length', ggufValue.uint32(scaling.originalContextLength)],
        ['attn_factor', ggufValue.float32(scaling.attentionFactor / yarnAttentionFactor(scaling.factor))],
        ['yarn_beta_fast', ggufValue.float32(scaling.betaFast)],
        ['yarn_beta_slow', ggufValue.float32(scaling.betaSlow)],
      ]);
  }
}

/** The divisors of the frequencies for rope_freqs.weight; null if the model needs none. */
export function ggufRopeFactors({ attentionKinds, headDim }: ModelConfig): Float32Array | null {
  const rope = attentionKinds[0]!.rope;
  if (rope?.scaling.type !== 'llama3' && rope?.scaling.type !== 'factors') return null;
  const unscaled = ropeFrequencies({ theta: rope.theta, scaling: { type: 'none' } }, headDim);
  const scaled = ropeFrequencies(rope, headDim);
  return unscaled.map((frequency, index) => frequency / scaled[index]!);
}
