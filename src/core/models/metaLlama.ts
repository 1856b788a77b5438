/**
 * @file LLaMA 1 to 3 as Meta publishes it: params.json, and weights under their own names, split among the processes that ran the
 * model (https://github.com/meta-llama/llama-models, models/llama3/args.py and model.py).
 */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import { checkedConfig, type ModelConfig, type RopeScaling } from './config.js';
import { HuggingFaceFields } from './huggingFaceFields.js';
import type { WeightSpec } from './weightSpec.js';

/** What the weights say and params.json does not. */
interface MetaFacts {
  /** Rows of the head, for when params.json leaves the number to the tokenizer by saying −1. */
  readonly vocabSize: number;
  readonly tiedEmbeddings: boolean;
}

/** Throws UserError('file-corrupt' | 'model-unsupported') naming the file. */
export function configFromMeta(json: unknown, { vocabSize, tiedEmbeddings }: MetaFacts, file: string): ModelConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new UserError('file-corrupt', t`${file} contains no JSON object.`);
  const outer = new HuggingFaceFields(json as Record<string, unknown>, file);
  const fields = outer.object('model') ?? outer;
  for (const name of ['moe', 'moe_args', 'quantization_args', 'lora_args']) fields.requireUnset(name);
  const hiddenSize = fields.integer('dim');
  const headCount = fields.integer('n_heads');
  const scaled = fields.flag('use_scaled_rope');
  const config: ModelConfig = {
    family: 'llama',
    vocabSize: fields.isUnset('vocab_size', -1) ? vocabSize : fields.integer('vocab_size'),
    hiddenSize,
    intermediateSize: intermediateSize(fields, hiddenSize),
    layerCount: fields.integer('n_layers'),
    headCount,
    keyValueHeadCount: fields.integer('n_kv_heads', headCount),
    headDim: hiddenSize / headCount,
    rmsNormEpsilon: fields.number('norm_eps', 1e-5),
    contextLength: fields.integer('max_seq_len', contextLength(fields, scaled)),
    tiedEmbeddings,
    biases: [],
    attentionKinds: [{ rope: { theta: ropeTheta(fields), scaling: ropeScaling(scaled, tiedEmbeddings) }, window: null }],
    layerPattern: [0],
  };
  return checkedConfig(config, file);
}

/** Two thirds of 4 · dim, times a factor, rounded up to a multiple (FeedForward in model.py). */
function intermediateSize(fields: HuggingFaceFields, hiddenSize: number): number {
  const multiple = fields.integer('multiple_of', 256);
  const unrounded = Math.floor(fields.number('ffn_dim_multiplier', 1) * Math.floor((8 * hiddenSize) / 3));
  return multiple * Math.ceil(unrounded / multiple);
}

function ropeTheta(fields: HuggingFaceFields): number {
  return fields.number('rope_theta', 10000);
}

/**
 * The settings of LLaMA 3.1 are constants in Meta's code. LLaMA 3.2 stretches by 32 instead of 8, as its published config.json
 * says; its two text models are the only ones of Meta's with tied embeddings.
 */
function ropeScaling(scaled: boolean, tiedEmbeddings: boolean): RopeScaling {
  if (!scaled) return { type: 'none' };
  const factor = tiedEmbeddings ? 32 : 8;
  return { type: 'llama3', factor, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192 };
}

/**
 * What each version was trained for, which is written nowhere (CONTEXT_LENGTH_FOR_VERSION in transformers'
 * convert_llama_weights_to_hf.py). The versions differ in rotation; LLaMA 1 differs from 2 in its epsilon, except for the 65B.
 */
function contextLength(fields: HuggingFaceFields, scaled: boolean): number {
  if (scaled) return 131072;
  const theta = ropeTheta(fields);
  if (theta > 10000) return theta === 500_000 ? 8192 : 16384; // LLaMA 3; Code Llama
  const is65B = fields.integer('dim') === 8192 && fields.optionalInteger('n_kv_heads') === null;
  return is65B || fields.number('norm_eps', 1e-5) < 1e-5 ? 2048 : 4096;
}

/** The axis on which shards are joined; null for a vector, which every shard holds whole. */
type JoinAxis = 0 | 1 | null;

const besideLayers: Readonly<Record<string, string>> = {
  'embed_tokens.weight': 'tok_embeddings.weight',
  'norm.weight': 'norm.weight',
  'lm_head.weight': 'output.weight',
};

const inLayers: Readonly<Record<string, string>> = {
  'q_proj.weight': 'attention.wq.weight',
  'k_proj.weight': 'attention.wk.weight',
  'v_proj.weight': 'attention.wv.weight',
  'o_proj.weight': 'attention.wo.weight',
  'gate_proj.weight': 'feed_forward.w1.weight',
  'up_proj.weight': 'feed_forward.w3.weight',
  'down_proj.weight': 'feed_forward.w2.weight',
  'input_layernorm.weight': 'attention_norm.weight',
  'post_attention_layernorm.weight': 'ffn_norm.weight',
};

export const metaEmbedding = 'tok_embeddings.weight';
export const metaHead = 'output.weight';

export function metaName({ layer, role }: WeightSpec): string {
  return layer === null ? besideLayers[role]! : `layers.${layer}.${inLayers[role]!}`;
}

/** Not stored for the model's sake: they follow from params.json. */
export function isDerivedInMeta(name: string): boolean {
  return name === 'rope.freqs';
}

/**
 * Linears whose input is split among processes are joined on columns, the others on rows. LLaMA 3 split the embedding by tokens,
 * its predecessors by width, which shows in its `columns`.
 */
export function joinAxis({ kind, role }: WeightSpec, columns: number, { hiddenSize }: ModelConfig): JoinAxis {
  if (kind === 'vector') return null;
  if (role === 'embed_tokens.weight') return columns === hiddenSize ? 0 : 1;
  return role === 'o_proj.weight' || role === 'down_proj.weight' ? 1 : 0;
}
