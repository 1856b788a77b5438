/** @file Good first models of the families that can be trained, from small to large, with what is known of them beforehand. */
import { configFromHuggingFace } from '../../core/models/registry.js';
import type { ModelConfig } from '../../core/models/config.js';

export interface RecommendedModel {
  /** OWNER/NAME on the hub. */
  readonly name: string;
  /** `code` models complete code and have learned to fill in the middle. */
  readonly purpose: 'chat' | 'code';
  readonly licence: string;
  /** Whether a token, and consent on its page, are needed. */
  readonly isGated: boolean;
  readonly config: ModelConfig;
  /** Of the weights; the other files are small beside them. */
  readonly downloadBytes: number;
}

/** The parameters are those in the file, at two bytes each; two of Qwen's files repeat the embedding as the head. */
function model(
  purpose: RecommendedModel['purpose'],
  name: string,
  licence: string,
  parameters: number,
  json: Readonly<Record<string, unknown>>,
): RecommendedModel {
  const isGated = licence !== 'apache-2.0';
  return { name, purpose, licence, isGated, config: configFromHuggingFace(json, name), downloadBytes: 2 * parameters };
}

type Sizes = readonly [hidden: number, intermediate: number, layers: number, heads: number, keyValueHeads: number];

function config(
  model_type: string,
  architecture: string,
  more: object,
  [hidden, intermediate, layers, heads, keyValueHeads]: Sizes,
) {
  return {
    model_type,
    architectures: [architecture],
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    num_key_value_heads: keyValueHeads,
    tie_word_embeddings: true,
    ...more,
  };
}

const smolLM2 = (...sizes: Sizes) =>
  config('llama', 'LlamaForCausalLM', { vocab_size: 49152, max_position_embeddings: 8192 }, sizes);
const llama32 = (...sizes: Sizes) =>
  config('llama', 'LlamaForCausalLM', { vocab_size: 128256, max_position_embeddings: 131072 }, sizes);
const qwen25 = (...sizes: Sizes) =>
  config('qwen2', 'Qwen2ForCausalLM', { vocab_size: 151936, max_position_embeddings: 32768 }, sizes);
const qwen3 = (...sizes: Sizes) =>
  config('qwen3', 'Qwen3ForCausalLM', { vocab_size: 151936, max_position_embeddings: 40960, head_dim: 128 }, sizes);
const gemma3 = (...sizes: Sizes) =>
  config('gemma3_text', 'Gemma3ForCausalLM', { vocab_size: 262144, max_position_embeddings: 32768, head_dim: 256 }, sizes);
/** Of 7 billion parameters on, Qwen 2.5 has a head of its own and a rounder vocabulary. */
const largeQwen25 = (...sizes: Sizes) => ({ ...qwen25(...sizes), vocab_size: 152064, tie_word_embeddings: false });

const apache = 'apache-2.0';

/** Evaluated when needed. */
export const recommendedModels = (): readonly RecommendedModel[] => [
  model('chat', 'HuggingFaceTB/SmolLM2-135M-Instruct', apache, 134_515_008, smolLM2(576, 1536, 30, 9, 3)),
  model('chat', 'HuggingFaceTB/SmolLM2-360M-Instruct', apache, 361_821_120, smolLM2(960, 2560, 32, 15, 5)),
  model('chat', 'Qwen/Qwen3-0.6B', apache, 751_632_384, qwen3(1024, 3072, 28, 16, 8)),
  model('chat', 'google/gemma-3-1b-it', 'gemma', 999_885_952, gemma3(1152, 6912, 26, 4, 1)),
  model('chat', 'meta-llama/Llama-3.2-1B-Instruct', 'llama3.2', 1_235_814_400, llama32(2048, 8192, 16, 32, 8)),
  model('chat', 'Qwen/Qwen2.5-1.5B-Instruct', apache, 1_543_714_304, qwen25(1536, 8960, 28, 12, 2)),
  model('chat', 'Qwen/Qwen3-1.7B', apache, 2_031_739_904, qwen3(2048, 6144, 28, 16, 8)),
  model('chat', 'meta-llama/Llama-3.2-3B-Instruct', 'llama3.2', 3_212_749_824, llama32(3072, 8192, 28, 24, 8)),
  model('chat', 'Qwen/Qwen3-4B-Instruct-2507', apache, 4_022_468_096, qwen3(2560, 9728, 36, 32, 8)),
  model('code', 'Qwen/Qwen2.5-Coder-0.5B', apache, 494_032_768, qwen25(896, 4864, 24, 14, 2)),
  model('code', 'Qwen/Qwen2.5-Coder-1.5B', apache, 1_543_714_304, qwen25(1536, 8960, 28, 12, 2)),
  model('code', 'Qwen/Qwen2.5-Coder-7B', apache, 7_615_616_512, largeQwen25(3584, 18944, 28, 28, 4)),
];
