import { UserError } from '../errors.js';
import { checkedConfig, type LlamaConfig, type RopeScaling } from './config.js';

type Json = Record<string, unknown>;

/**
 * config.json of a LlamaForCausalLM, with the defaults of transformers' LlamaConfig.
 * Throws UserError('model-unsupported') for another architecture, ('file-corrupt') for fields of the wrong kind.
 */
export function configFromHuggingFace(json: unknown, file: string): LlamaConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw new UserError('file-corrupt', `${file} holds no JSON object.`);
  const fields = new Fields(json as Json, file);
  refuseOtherArchitectures(fields, file);
  const hiddenSize = fields.integer('hidden_size');
  const headCount = fields.integer('num_attention_heads');
  const rope = fields.object('rope_parameters') ?? fields.object('rope_scaling');
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
      ropeTheta: rope?.number('rope_theta', NaN) || fields.number('rope_theta', 10000),
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
  if (modelType !== 'llama' || (architectures.length > 0 && !architectures.includes('LlamaForCausalLM'))) {
    const what = architectures.length > 0 ? architectures.join(', ') : (modelType ?? 'a model of no stated type');
    throw new UserError('model-unsupported', `${file} describes ${what}; LoRA Workbench trains LlamaForCausalLM models.`);
  }
  const activation = fields.text('hidden_act') ?? 'silu';
  if (activation !== 'silu') throw new UserError('model-unsupported', `${file} asks for the activation ${activation}; LLaMA uses silu.`);
}

function ropeScaling(rope: Fields, file: string): RopeScaling {
  const type = rope.text('rope_type') ?? rope.text('type') ?? 'default';
  switch (type) {
    case 'default':
      return { type: 'none' };
    case 'linear':
      return { type: 'linear', factor: rope.number('factor') };
    case 'llama3':
      return {
        type: 'llama3',
        factor: rope.number('factor'),
        lowFrequencyFactor: rope.number('low_freq_factor'),
        highFrequencyFactor: rope.number('high_freq_factor'),
        originalContextLength: rope.number('original_max_position_embeddings'),
      };
    default:
      throw new UserError('model-unsupported', `${file} asks for the rope scaling ${type}; linear and llama3 are supported.`);
  }
}

/** Typed access to JSON that anybody may have written. */
class Fields {
  constructor(
    private readonly json: Json,
    private readonly file: string,
  ) {}

  integer(name: string, fallback?: number): number {
    return this.checked(name, fallback, 'a positive whole number', (value) => Number.isSafeInteger(value) && value > 0);
  }

  number(name: string, fallback?: number): number {
    return this.checked(name, fallback, 'a positive number', (value) => Number.isFinite(value) && value > 0);
  }

  flag(name: string): boolean {
    return this.json[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.json[name];
    return typeof value === 'string' ? value : undefined;
  }

  list(name: string): string[] {
    const value = this.json[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  object(name: string): Fields | undefined {
    const value = this.json[name];
    return typeof value === 'object' && value !== null ? new Fields(value as Json, this.file) : undefined;
  }

  private checked(name: string, fallback: number | undefined, what: string, isValid: (value: number) => boolean): number {
    const value = this.json[name] ?? fallback;
    if (this.json[name] == null && fallback !== undefined) return fallback;
    if (typeof value === 'number' && isValid(value)) return value;
    throw new UserError('file-corrupt', `${this.file}: ${name} should be ${what}, but is ${JSON.stringify(value) ?? 'missing'}.`);
  }
}
