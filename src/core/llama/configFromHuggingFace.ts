import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { shortened, shownValue } from '../formats/shownValue.js';
import { checkedConfig, type LlamaConfig, type RopeScaling } from './config.js';

type Json = Record<string, unknown>;

/**
 * config.json of a LlamaForCausalLM, with the defaults of transformers' LlamaConfig.
 * Throws UserError('model-unsupported') for another architecture, ('file-corrupt') for fields of the wrong kind.
 */
export function configFromHuggingFace(json: unknown, file: string): LlamaConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError('file-corrupt', t`${file} holds no JSON object.`);
  const fields = new Fields(json as Json, file);
  refuseOtherArchitectures(fields, file);
  const hiddenSize = fields.integer('hidden_size');
  const headCount = fields.integer('num_attention_heads');
  // transformers 5 has all about rotary embedding in one object, where earlier versions had two entries.
  const rope = fields.object('rope_parameters') ?? fields.object('rope_scaling');
  const ropeTheta = fields.number('rope_theta', 10000);
  return checkedConfig(
    {
      vocabSize: fields.integer('vocab_size'),
      hiddenSize,
      intermediateSize: fields.integer('intermediate_size'),
      layerCount: fields.integer('num_hidden_layers'),
      headCount,
      keyValueHeadCount: fields.integer('num_key_value_heads', headCount),
      headDim: fields.integer('head_dim', hiddenSize / headCount),
      rmsNormEpsilon: fields.number('rms_norm_eps', 1e-6),
      ropeTheta: rope?.number('rope_theta', ropeTheta) ?? ropeTheta,
      ropeScaling: rope ? ropeScaling(rope, file) : { type: 'none' },
      contextLength: fields.integer('max_position_embeddings', 2048),
      tiedEmbeddings: fields.flag('tie_word_embeddings'),
      attentionBias: fields.flag('attention_bias'),
      mlpBias: fields.flag('mlp_bias'),
    },
    file,
  );
}

function refuseOtherArchitectures(fields: Fields, file: string): void {
  const modelType = fields.text('model_type');
  const architectures = fields.list('architectures');
  const isLlama =
    (modelType ?? 'llama') === 'llama' &&
    (architectures.length > 0 ? architectures.includes('LlamaForCausalLM') : modelType === 'llama');
  if (!isLlama) {
    const what = architectures.length > 0 ? architectures.join(', ') : (modelType ?? t`a model of no stated type`);
    throw new UserError(
      'model-unsupported',
      t`${file} describes ${shortened(what)}; LoRA Workbench trains LlamaForCausalLM models.`,
    );
  }
  const quantization = fields.object('quantization_config');
  if (quantization) {
    const method = quantization.text('quant_method') ?? t`an unknown method`;
    throw new UserError(
      'model-unsupported',
      t`${file}: the weights are quantized with ${shortened(method)}. Use the original model, or a GGUF.`,
    );
  }
  const activation = fields.text('hidden_act') ?? 'silu';
  if (activation !== 'silu')
    throw new UserError(
      'model-unsupported',
      t`${file} asks for the activation ${shownValue(activation)}; LLaMA uses silu.`,
    );
}

function ropeScaling(rope: Fields, file: string): RopeScaling {
  const type = rope.text('rope_type') ?? rope.text('type') ?? 'default';
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type: 'linear', factor: rope.number('factor') };
    case 'llama3': {
      const lowFrequencyFactor = rope.number('low_freq_factor');
      const highFrequencyFactor = rope.number('high_freq_factor');
      if (highFrequencyFactor <= lowFrequencyFactor) {
        throw new UserError('file-corrupt', t`${file}: high_freq_factor should be larger than low_freq_factor.`);
      }
      const originalContextLength = rope.number('original_max_position_embeddings');
      return { type, factor: rope.number('factor'), lowFrequencyFactor, highFrequencyFactor, originalContextLength };
    }
    default:
      throw new UserError(
        'model-unsupported',
        t`${file} asks for the rope scaling ${shownValue(type)}; linear and llama3 are supported.`,
      );
  }
}

/** Typed access to JSON that anybody may have written. */
class Fields {
  constructor(
    private readonly json: Json,
    private readonly file: string,
  ) {}

  integer(name: string, fallback?: number): number {
    return this.checked(name, fallback, t`a positive whole number`, (value) => Number.isSafeInteger(value) && value > 0);
  }

  number(name: string, fallback?: number): number {
    return this.checked(name, fallback, t`a positive number`, (value) => Number.isFinite(value) && value > 0);
  }

  flag(name: string): boolean {
    const value = this.json[name] ?? false;
    if (typeof value === 'boolean') return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be true or false, but is ${shownValue(value)}.`);
  }

  text(name: string): string | undefined {
    const value = this.json[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be text, but is ${shownValue(value)}.`);
  }

  list(name: string): string[] {
    const value = this.json[name];
    return Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item : shownValue(item))) : [];
  }

  object(name: string): Fields | undefined {
    const value = this.json[name];
    return typeof value === 'object' && value !== null ? new Fields(value as Json, this.file) : undefined;
  }

  private checked(
    name: string,
    fallback: number | undefined,
    what: string,
    isValid: (value: number) => boolean,
  ): number {
    const value = this.json[name] ?? fallback;
    if (this.json[name] == null && fallback !== undefined) return fallback;
    if (typeof value === 'number' && isValid(value)) return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be ${what}, but is ${shownValue(value)}.`);
  }
}
