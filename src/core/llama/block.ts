/** @file The LLaMA decoder block as a graph (https://arxiv.org/abs/2302.13971; layout of transformers' modeling_llama). */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { LlamaConfig } from './config.js';
import type { LinearName } from './weights.js';

// Symbols of the shape comments: H hiddenSize, Q heads·headDim, K keyValueHeads·headDim, F intermediateSize.

/** What a caller fills in: where the weights come from, what an adapter adds, how attention sees other tokens. */
interface BlockParts {
  /** The weight of a norm, [H]. */
  readonly norm: (name: 'input_layernorm' | 'post_attention_layernorm') => Value;
  /** A linear with whatever an adapter adds to it: […, in] → […, out]. */
  readonly linear: (linear: LinearName, x: Value) => Value;
  /** Rotates and attends: query […, Q], key and value […, K] → […, Q]. */
  readonly attend: (query: Value, key: Value, value: Value) => Value;
}

export interface Block {
  /** […, H] */
  readonly output: Value;
  /** After the attention's residual: […, H]. */
  readonly residual: Value;
  /** […, F] */
  readonly gate: Value;
  readonly up: Value;
}

/** x […, H] → […, H]. */
export function llamaBlock(b: GraphBuilder, config: LlamaConfig, x: Value, { norm, linear, attend }: BlockParts): Block {
  const residual = b.within('attention', () => {
    const normed = b.rmsNorm(x, norm('input_layernorm'), config.rmsNormEpsilon); // […, H]
    const attention = attend(linear('q_proj', normed), linear('k_proj', normed), linear('v_proj', normed)); // […, Q]
    return b.add(x, linear('o_proj', attention)); // […, H]
  });
  return b.within('mlp', () => {
    const normed = b.rmsNorm(residual, norm('post_attention_layernorm'), config.rmsNormEpsilon); // […, H]
    const gate = linear('gate_proj', normed); // […, F]
    const up = linear('up_proj', normed); // […, F]
    const output = b.add(residual, linear('down_proj', b.swiglu(gate, up))); // […, H]
    return { output, residual, gate, up };
  });
}

export function attentionAttributes(config: LlamaConfig): { heads: number; keyValueHeads: number; headDim: number } {
  return { heads: config.headCount, keyValueHeads: config.keyValueHeadCount, headDim: config.headDim };
}
