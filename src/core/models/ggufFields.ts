import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GgufFile, GgufValue } from '../formats/gguf.js';
import { shownValue } from '../formats/shownValue.js';
import type { ModelConfig, ModelSizes, RopeScaling, RopeSettings } from './config.js';
import { yarnAttentionFactor } from './huggingFaceFields.js';
import { linearNames, type LinearName } from './linears.js';
import { ggufLinears } from './weightSpec.js';

/** Typed access to the metadata of a GGUF file. Throws UserError naming the file. */
export class GgufFields {
  /** `ropeFactors` are the divisors in rope_freqs.weight, if the file has it. */
  constructor(
    private readonly gguf: Pick<GgufFile, 'metadata' | 'tensors'>,
    private readonly ropeFactors: Float32Array | null,
    readonly file: string,
  ) {
    this.refuseVariants();
  }

  get architecture(): unknown {
    return this.gguf.metadata.get('general.architecture');
  }

  /** The config of a family in which all layers rotate and have no attention window. */
  config(family: string): ModelConfig {
    const sizes = this.sizes();
    return {
      family,
      ...sizes,
      biases: this.biases(),
      attentionKinds: [{ rope: this.rope(10000, sizes.headDim), window: null }],
      layerPattern: [0],
    };
  }

  sizes(): ModelSizes {
    const hiddenSize = this.number('embedding_length');
    const headCount = this.number('attention.head_count');
    const embedding = this.gguf.tensors.get('token_embd.weight');
    if (!embedding) throw new UserError('file-corrupt', t`${this.file} has no token_embd.weight.`);
    return {
      vocabSize: embedding.shape[0]!,
      hiddenSize,
      intermediateSize: this.number('feed_forward_length'),
      layerCount: this.number('block_count'),
      headCount,
      keyValueHeadCount: this.number('attention.head_count_kv', headCount),
      headDim: this.headDim(hiddenSize / headCount),
      rmsNormEpsilon: this.number('attention.layer_norm_rms_epsilon'),
      contextLength: this.number('context_length'),
      tiedEmbeddings: !this.gguf.tensors.has('output.weight'),
    };
  }

  /** The linears that have a bias in the first layer. */
  biases(): readonly LinearName[] {
    return linearNames.filter((linear) => this.gguf.tensors.has(`blk.0.${ggufLinears[linear]}.bias`));
  }

  rope(defaultTheta: number, headDim: number): RopeSettings {
    return { theta: this.number('rope.freq_base', defaultTheta), scaling: this.ropeScaling(headDim) };
  }

  /** The value of a key that follows the architecture's name. */
  number(key: string, fallback?: number): number {
    const value = this.value(key);
    if (value === undefined && fallback !== undefined) return fallback;
    const number = typeof value === 'bigint' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number) && number > 0) return number;
    const name = `${String(this.architecture)}.${key}`;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be a positive number, but is ${shownValue(value)}.`);
  }

  private value(key: string): GgufValue | undefined {
    return this.gguf.metadata.get(`${String(this.architecture)}.${key}`);
  }

  private headDim(usual: number): number {
    const headDim = this.number('attention.key_length', this.number('rope.dimension_count', usual));
    if (this.number('rope.dimension_count', headDim) === headDim) return headDim;
    throw new UserError('model-unsupported', t`${this.file} rotates only a part of each head, which is not supported.`);
  }

  private refuseVariants(): void {
    if (this.value('expert_count')) {
      throw new UserError('model-unsupported', t`${this.file} is a mixture of experts; only dense models are supported.`);
    }
    const parts = Number(this.gguf.metadata.get('split.count') ?? 1);
    if (parts > 1) {
      const message = t`${this.file} is one of ${parts} parts of a model. Join them with llama.cpp's gguf-split --merge.`;
      throw new UserError('file-unsupported', message);
    }
  }

  private ropeScaling(headDim: number): RopeScaling {
    const factors = this.ropeFactors;
    if (factors) {
      const isValid = factors.length === headDim / 2 && factors.every((factor) => factor > 0);
      if (!isValid)
        throw new UserError('file-corrupt', t`${this.file}: rope_freqs.weight should be ${headDim / 2} positive numbers.`);
      return { type: 'factors', factors: [...factors] };
    }
    const factor = this.number('rope.scaling.factor', this.number('rope.scale_linear', 1));
    // llama.cpp treats a factor without a type as linear.
    const type = this.value('rope.scaling.type') ?? 'linear';
    if (type === 'none' || factor === 1) return { type: 'none' };
    if (type === 'linear') return { type: 'linear', factor };
    if (type === 'yarn') {
      const attentionFactor = this.number('rope.scaling.attn_factor', 1) * yarnAttentionFactor(factor);
      const originalContextLength = this.number('rope.scaling.original_context_length');
      const betas = {
        betaFast: this.number('rope.scaling.yarn_beta_fast', 32),
        betaSlow: this.number('rope.scaling.yarn_beta_slow', 1),
      };
      return { type, factor, ...betas, attentionFactor, originalContextLength, truncate: true };
    }
    throw new UserError(
      'model-unsupported',
      t`${this.file} asks for the rope scaling ${shownValue(type)}; linear, yarn and LLaMA 3's are supported.`,
    );
  }
}
