import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { shownValue } from '../formats/shownValue.js';
import type { ModelSizes, RopeScaling, RopeSettings } from './config.js';
import { isOfMlp, linearNames, type LinearName } from './linears.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * Defaults of a family's configuration class in transformers, for fields missing from config.json. Without a default, there are
 * as many key/value heads as query heads, headDim is hiddenSize / headCount, and embeddings are not tied.
 */
interface SizeDefaults {
  readonly contextLength: number;
  readonly keyValueHeadCount?: number;
  readonly headDim?: number;
  readonly tiedEmbeddings?: boolean;
}

/** Typed access to a config.json, or to Meta's params.json, which may come from anyone. Throws UserError('file-corrupt') for values of the wrong type. */
export class HuggingFaceFields {
  constructor(
    private readonly json: Json,
    readonly file: string,
  ) {}

  sizes(defaults: SizeDefaults): ModelSizes {
    const hiddenSize = this.integer('hidden_size');
    const headCount = this.integer('num_attention_heads');
    return {
      vocabSize: this.integer('vocab_size'),
      hiddenSize,
      intermediateSize: this.integer('intermediate_size'),
      layerCount: this.integer('num_hidden_layers'),
      headCount,
      keyValueHeadCount: this.integer('num_key_value_heads', defaults.keyValueHeadCount ?? headCount),
      headDim: this.integer('head_dim', defaults.headDim ?? hiddenSize / headCount),
      rmsNormEpsilon: this.number('rms_norm_eps', 1e-6),
      contextLength: this.integer('max_position_embeddings', defaults.contextLength),
      tiedEmbeddings: this.flag('tie_word_embeddings', defaults.tiedEmbeddings),
    };
  }

  /** The linears that have a bias according to `attention_bias` and `mlp_bias`; none if these are missing. */
  biases(): readonly LinearName[] {
    const [attention, mlp] = [this.flag('attention_bias'), this.flag('mlp_bias')];
    return linearNames.filter((linear) => (isOfMlp(linear) ? mlp : attention));
  }

  /** transformers 5 keeps all rotary settings in one object; earlier versions had two entries. */
  rope(defaultTheta: number): RopeSettings {
    const rope = this.object('rope_parameters') ?? this.object('rope_scaling');
    const theta = this.number('rope_theta', defaultTheta);
    return rope ? rope.ropeSettings(theta) : { theta, scaling: { type: 'none' } };
  }

  /** Reads an object that holds the rotary settings. */
  ropeSettings(defaultTheta: number): RopeSettings {
    const theta = this.number('rope_theta', defaultTheta);
    return { theta, scaling: this.ropeScaling() };
  }

  /** Throws UserError('model-unsupported') if the model's activation is not the one that its family uses. */
  requireActivation(name: 'hidden_act' | 'hidden_activation', expected: string): void {
    const activation = this.text(name) ?? expected;
    if (activation === expected) return;
    const message = t`${this.file} asks for the activation ${shownValue(activation)}; models of its family use ${expected}.`;
    throw new UserError('model-unsupported', message);
  }

  /** Throws UserError('model-unsupported') if a feature that is not implemented here is turned on. */
  requireUnset(name: string): void {
    const value = this.json[name] ?? null;
    if (value === null || value === false) return;
    throw new UserError('model-unsupported', t`${this.file} sets ${name} to ${shownValue(value)}, which is not supported.`);
  }

  /** Whether the field is missing, null, or has the value that means so. */
  isUnset(name: string, unset: number): boolean {
    return this.json[name] == null || this.json[name] === unset;
  }

  integer(name: string, fallback?: number): number {
    return this.checked(name, fallback, t`a positive whole number`, (value) => Number.isSafeInteger(value) && value > 0);
  }

  /** Null if the field is null, or if it is missing and no default is given. */
  optionalInteger(name: string, fallback: number | null = null): number | null {
    const value = name in this.json ? this.json[name] : fallback;
    return value === null || value === undefined ? null : this.integer(name, fallback ?? undefined);
  }

  number(name: string, fallback?: number): number {
    return this.checked(name, fallback, t`a positive number`, (value) => Number.isFinite(value) && value > 0);
  }

  flag(name: string, fallback = false): boolean {
    const value = this.json[name] ?? fallback;
    if (typeof value === 'boolean') return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be true or false, but is ${shownValue(value)}.`);
  }

  text(name: string): string | undefined {
    const value = this.json[name] ?? undefined;
    if (value === undefined || typeof value === 'string') return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be text, but is ${shownValue(value)}.`);
  }

  texts(name: string): string[] {
    const value = this.json[name];
    return Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item : shownValue(item))) : [];
  }

  /** At least one entry per layer; undefined if the field is missing or null. */
  perLayer<Item>(name: string, layerCount: number, isItem: (value: unknown) => value is Item): readonly Item[] | undefined {
    const value = this.json[name] ?? undefined;
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.length >= layerCount && value.every(isItem)) return value.slice(0, layerCount);
    throw new UserError('file-corrupt', t`${this.file}: ${name} should have an entry for each of the ${layerCount} layers.`);
  }

  object(name: string): HuggingFaceFields | undefined {
    const value = this.json[name];
    return typeof value === 'object' && value !== null ? new HuggingFaceFields(value as Json, this.file) : undefined;
  }

  private ropeScaling(): RopeScaling {
    const type = this.text('rope_type') ?? this.text('type') ?? 'default';
    switch (type) {
      case 'default':
        return { type: 'none' };
      case 'linear':
        return { type: 'linear', factor: this.number('factor') };
      case 'llama3':
        return this.llama3Scaling();
      case 'yarn':
        return this.yarnScaling();
      default:
        throw new UserError(
          'model-unsupported',
          t`${this.file} asks for the rope scaling ${shownValue(type)}; linear, llama3 and yarn are supported.`,
        );
    }
  }

  private llama3Scaling(): RopeScaling {
    const lowFrequencyFactor = this.number('low_freq_factor');
    const highFrequencyFactor = this.number('high_freq_factor');
    if (highFrequencyFactor <= lowFrequencyFactor) {
      throw new UserError('file-corrupt', t`${this.file}: high_freq_factor should be larger than low_freq_factor.`);
    }
    const originalContextLength = this.number('original_max_position_embeddings');
    return { type: 'llama3', factor: this.number('factor'), lowFrequencyFactor, highFrequencyFactor, originalContextLength };
  }

  private yarnScaling(): RopeScaling {
    const factor = this.number('factor');
    return {
      type: 'yarn',
      factor,
      betaFast: this.number('beta_fast', 32),
      betaSlow: this.number('beta_slow', 1),
      attentionFactor: this.number('attention_factor', yarnAttentionFactor(factor)),
      originalContextLength: this.number('original_max_position_embeddings'),
      truncate: this.flag('truncate', true),
    };
  }

  private checked(name: string, fallback: number | undefined, what: string, isValid: (value: number) => boolean): number {
    const value = this.json[name] ?? fallback;
    if (this.json[name] == null && fallback !== undefined) return fallback;
    if (typeof value === 'number' && isValid(value)) return value;
    throw new UserError('file-corrupt', t`${this.file}: ${name} should be ${what}, but is ${shownValue(value)}.`);
  }
}

/** Equation 22 of https://arxiv.org/abs/2309.00071. */
export function yarnAttentionFactor(factor: number): number {
  return factor <= 1 ? 1 : 0.1 * Math.log(factor) + 1;
}
