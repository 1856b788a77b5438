import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GgufFile, GgufValue } from '../formats/gguf.js';
import { shownValue } from '../formats/shownValue.js';
import { checkedConfig, type LlamaConfig, type RopeScaling } from './config.js';

/**
 * The hyper-parameters that a GGUF file of architecture `llama` carries in its metadata. `ropeFactors` are the divisors of
 * rope_freqs.weight, where the file has them. Throws UserError('model-unsupported' | 'file-corrupt') naming the file.
 */
export function configFromGguf(
  { metadata, tensors }: GgufFile,
  ropeFactors: Float32Array | null,
  file: string,
): LlamaConfig {
  const architecture = metadata.get('general.architecture');
  if (architecture !== 'llama') {
    const message = t`${file} is a model of architecture ${shownValue(architecture)}; LoRA Workbench trains those of architecture llama.`;
    throw new UserError('model-unsupported', message);
  }
  const number = (key: string, fallback?: number): number =>
    positiveNumber(metadata.get(`llama.${key}`), fallback, `llama.${key}`, file);
  refuseVariants(metadata, file);
  const hiddenSize = number('embedding_length');
  const headCount = number('attention.head_count');
  const embedding = tensors.get('token_embd.weight');
  if (!embedding) throw new UserError('file-corrupt', t`${file} has no token_embd.weight.`);
  const headDim = number('attention.key_length', number('rope.dimension_count', hiddenSize / headCount));
  if (number('rope.dimension_count', headDim) !== headDim) {
    throw new UserError('model-unsupported', t`${file} rotates only a part of each head, which no LLaMA does.`);
  }
  return checkedConfig(
    {
      vocabSize: embedding.shape[0]!,
      hiddenSize,
      intermediateSize: number('feed_forward_length'),
      layerCount: number('block_count'),
      headCount,
      keyValueHeadCount: number('attention.head_count_kv', headCount),
      headDim,
      rmsNormEpsilon: number('attention.layer_norm_rms_epsilon'),
      ropeTheta: number('rope.freq_base', 10000),
      ropeScaling: ropeScaling(metadata, ropeFactors, headDim, file),
      contextLength: number('context_length'),
      tiedEmbeddings: !tensors.has('output.weight'),
      attentionBias: tensors.has('blk.0.attn_q.bias'),
      mlpBias: tensors.has('blk.0.ffn_gate.bias'),
    },
    file,
  );
}

function refuseVariants(metadata: GgufFile['metadata'], file: string): void {
  if (metadata.get('llama.expert_count')) {
    throw new UserError('model-unsupported', t`${file} is a mixture of experts; only dense LLaMA models are supported.`);
  }
  const parts = Number(metadata.get('split.count') ?? 1);
  if (parts > 1) {
    const message = t`${file} is one of ${parts} parts of a model. Join them with llama.cpp's gguf-split --merge.`;
    throw new UserError('file-unsupported', message);
  }
}

function ropeScaling(
  metadata: GgufFile['metadata'],
  factors: Float32Array | null,
  headDim: number,
  file: string,
): RopeScaling {
  if (factors) {
    const isValid = factors.length === headDim / 2 && factors.every((factor) => factor > 0);
    if (!isValid)
      throw new UserError('file-corrupt', t`${file}: rope_freqs.weight should be ${headDim / 2} positive numbers.`);
    return { type: 'factors', factors: [...factors] };
  }
  const factor = positiveNumber(
    metadata.get('llama.rope.scaling.factor') ?? metadata.get('llama.rope.scale_linear'),
    1,
    'llama.rope.scaling.factor',
    file,
  );
  // llama.cpp takes a factor without a type as linear.
  const type = metadata.get('llama.rope.scaling.type') ?? 'linear';
  if (type === 'none' || (type === 'linear' && factor === 1)) return { type: 'none' };
  if (type === 'linear') return { type: 'linear', factor };
  throw new UserError(
    'model-unsupported',
    t`${file} asks for the rope scaling ${shownValue(type)}; linear and LLaMA 3's are supported.`,
  );
}

function positiveNumber(value: GgufValue | undefined, fallback: number | undefined, key: string, file: string): number {
  if (value === undefined && fallback !== undefined) return fallback;
  const number = typeof value === 'bigint' ? Number(value) : value;
  if (typeof number === 'number' && Number.isFinite(number) && number > 0) return number;
  throw new UserError('file-corrupt', t`${file}: ${key} should be a positive number, but is ${shownValue(value)}.`);
}
