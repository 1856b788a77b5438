/** @file Which tensors a LLaMA has, with their shapes, and what llama.cpp calls them. */
import type { LlamaConfig } from './config.js';
import { hasBias } from './linear.js';
import { linearNames, linearPath, linearShape } from './weights.js';

/** Hugging Face name → shape, for every tensor that the config asks for. */
export function expectedWeights(config: LlamaConfig): Map<string, readonly number[]> {
  const { vocabSize, hiddenSize, layerCount } = config;
  const expected = new Map<string, readonly number[]>([['model.embed_tokens.weight', [vocabSize, hiddenSize]]]);
  for (let layer = 0; layer < layerCount; layer++) {
    expected.set(`model.layers.${layer}.input_layernorm.weight`, [hiddenSize]);
    expected.set(`model.layers.${layer}.post_attention_layernorm.weight`, [hiddenSize]);
    for (const linear of linearNames) {
      const shape = linearShape(config, linear);
      expected.set(`${linearPath(layer, linear)}.weight`, shape);
      if (hasBias(config, linear)) expected.set(`${linearPath(layer, linear)}.bias`, [shape[0]]);
    }
  }
  expected.set('model.norm.weight', [hiddenSize]);
  if (!config.tiedEmbeddings) expected.set('lm_head.weight', [vocabSize, hiddenSize]);
  return expected;
}

const ggufParts: Readonly<Record<string, string>> = {
  attn_norm: 'input_layernorm',
  ffn_norm: 'post_attention_layernorm',
  attn_q: 'self_attn.q_proj',
  attn_k: 'self_attn.k_proj',
  attn_v: 'self_attn.v_proj',
  attn_output: 'self_attn.o_proj',
  ffn_gate: 'mlp.gate_proj',
  ffn_up: 'mlp.up_proj',
  ffn_down: 'mlp.down_proj',
};

const ggufNames: Readonly<Record<string, string>> = {
  'token_embd.weight': 'model.embed_tokens.weight',
  'output_norm.weight': 'model.norm.weight',
  'output.weight': 'lm_head.weight',
};

/** `blk.3.attn_q.weight` → `model.layers.3.self_attn.q_proj.weight`; undefined for what a LLaMA does not have. */
export function nameFromGguf(name: string): string | undefined {
  const [, layer, part, kind] = /^blk\.(\d+)\.(\w+)\.(weight|bias)$/.exec(name) ?? [];
  if (layer === undefined) return ggufNames[name];
  const known = ggufParts[part!];
  return known && `model.layers.${layer}.${known}.${kind}`;
}

/** llama.cpp stores the rows of q and k (and their biases) interleaved within each head, for its own rotary layout. */
export function isPermutedInGguf(huggingFaceName: string): boolean {
  return /\.(q|k)_proj\.(weight|bias)$/.test(huggingFaceName);
}

/**
 * The model's row that lies at `row` of the file: within each head, row 2i + j is row j·headDim/2 + i of the model
 * (https://github.com/ggml-org/llama.cpp, convert_hf_to_gguf.py, LlamaModel.permute).
 */
export function unpermutedRow(row: number, headDim: number): number {
  const within = row % headDim;
  return row - within + (within % 2) * (headDim / 2) + (within >> 1);
}

export function unpermuteRows(rows: Float32Array, headDim: number, rowLength: number): void {
  const head = new Float32Array(headDim * rowLength);
  for (let start = 0; start < rows.length; start += head.length) {
    head.set(rows.subarray(start, start + head.length));
    for (let row = 0; row < headDim; row++) {
      rows.set(head.subarray(row * rowLength, (row + 1) * rowLength), start + unpermutedRow(row, headDim) * rowLength);
    }
  }
}
