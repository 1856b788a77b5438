/** @file The LLaMA decoder block as a graph (https://arxiv.org/abs/2302.13971; layout of transformers' modeling_llama). */
import type { GraphBuilder } from '../graph/builder.js';
import type { Value } from '../graph/types.js';
import type { LlamaConfig } from './config.js';
import type { LinearName } from './weights.js';

// Symbols of the shape comments: B batch, T sequence, N = B·T tokens, H hiddenSize, Q heads·headDim, K keyValueHeads·headDim,
// F intermediateSize, D headDim, S keys.

/** What all blocks of a step share. */
export interface BlockContext {
  readonly batchSize: number;
  readonly sequenceLength: number;
  /** [B, T] int64 */
  readonly positionIds: Value;
  /** [positions, D/2] */
  readonly cos: Value;
  readonly sin: Value;
  /** [B, 1, T, S], added to the scores. */
  readonly mask: Value;
}

/** A linear of the block with whatever an adapter adds to it: x [N, in] → [N, out]. */
export type ApplyLinear = (linear: LinearName, x: Value) => Value;

/** The values of a forward pass from which the backward pass can recompute the others cheaply. */
export interface BlockActivations {
  /** After RoPE: [B, T, Q], [B, T, K], [B, T, K]. */
  readonly query: Value;
  readonly key: Value;
  readonly value: Value;
  /** [B, T, Q] */
  readonly attention: Value;
  /** After the attention's residual: [N, H]. */
  readonly residual: Value;
  /** [N, F] */
  readonly gate: Value;
  readonly up: Value;
}

export interface Block {
  /** [N, H] */
  readonly output: Value;
  readonly activations: BlockActivations;
}

/** x [N, H] → [N, H]. */
export function llamaBlock(
  b: GraphBuilder,
  config: LlamaConfig,
  x: Value,
  context: BlockContext,
  linear: ApplyLinear,
  attend: (query: Value, key: Value, value: Value) => Value = (query, key, value) =>
    b.attention(query, key, value, context.mask, attentionAttributes(config)),
): Block {
  const { batchSize, sequenceLength } = context;
  const norm = (name: string, value: Value): Value =>
    b.rmsNorm(value, b.input(`${name}.weight`, [config.hiddenSize]), config.rmsNormEpsilon);
  const bySequence = (value: Value): Value => b.reshape(value, [batchSize, sequenceLength, value.shape[1]!]);
  const rotate = (value: Value): Value => b.rope(value, context.positionIds, context.cos, context.sin);

  const [attention, query, key, value] = b.within('attention', () => {
    const normed = norm('input_layernorm', x); // [N, H]
    const query = rotate(bySequence(linear('q_proj', normed))); // [B, T, Q]
    const key = rotate(bySequence(linear('k_proj', normed))); // [B, T, K]
    const value = bySequence(linear('v_proj', normed)); // [B, T, K]
    return [attend(query, key, value), query, key, value];
  });
  const residual = b.within('attention', () => b.add(x, linear('o_proj', b.reshape(attention, [x.shape[0]!, attention.shape[2]!])))); // [N, H]
  const { gate, up, output } = b.within('mlp', () => {
    const normed = norm('post_attention_layernorm', residual); // [N, H]
    const gate = linear('gate_proj', normed); // [N, F]
    const up = linear('up_proj', normed); // [N, F]
    return { gate, up, output: b.add(residual, linear('down_proj', b.swiglu(gate, up))) }; // [N, H]
  });
  return { output, activations: { query, key, value, attention, residual, gate, up } };
}

export function attentionAttributes(config: LlamaConfig): { heads: number; keyValueHeads: number; headDim: number } {
  return { heads: config.headCount, keyValueHeads: config.keyValueHeadCount, headDim: config.headDim };
}
