/** @file Attention over primitives, and its derivative, which needs neither stored probabilities nor expanded KV heads. */
import type { GraphBuilder } from './builder.js';
import type { AttentionAttributes, Value } from './types.js';

// B batch, T queries, K keys, N key/value heads, G query heads per key/value head, D headDim.
interface Heads {
  /** [B, N, G·T, D]: the query heads of a group stand below each other, so that keys need no copy per query head. */
  readonly query: Value;
  /** [B, N, K, D] */
  readonly key: Value;
  readonly value: Value;
  /** [B, N, G·T, K] */
  readonly probabilities: Value;
  readonly scale: number;
}

/** softmax(q·kᵀ/√D + mask)·v. Shapes: see OpAttributes.attention. */
export function attentionForward(b: GraphBuilder, inputs: readonly Value[], attributes: AttentionAttributes): Value {
  const heads = splitHeads(b, inputs, attributes);
  return joinQueryHeads(b, b.matmul(heads.probabilities, heads.value), inputs[0]!, attributes);
}

/**
 * With P = softmax(S), O = P·V:  dV = Pᵀ·dO;  dP = dO·Vᵀ;  dS = P ⊙ (dP − δ) where δ = Σ_D dO ⊙ O,
 * which equals Σ_K dP ⊙ P and costs K/D times less (https://arxiv.org/abs/2205.14135, appendix B.2);
 * dQ = dS·K/√D;  dK = dSᵀ·Q/√D.
 */
export function attentionBackward(
  b: GraphBuilder,
  inputs: readonly Value[],
  output: Value,
  dOutput: Value,
  attributes: AttentionAttributes,
): [Value, Value, Value] {
  const [query, key] = inputs as [Value, Value];
  const { query: q, key: k, value: v, probabilities, scale } = splitHeads(b, inputs, attributes);
  const dO = splitQueryHeads(b, dOutput, attributes); // [B, N, G·T, D]
  const delta = b.sumLast(b.multiply(dO, splitQueryHeads(b, output, attributes))); // [B, N, G·T, 1]
  const dP = b.matmul(dO, v, { transposeB: true }); // [B, N, G·T, K]
  const dS = b.multiply(probabilities, b.subtract(dP, delta));
  return [
    joinQueryHeads(b, b.matmul(dS, k, { alpha: scale }), query, attributes),
    joinKeyHeads(b, b.matmul(dS, q, { transposeA: true, alpha: scale }), key),
    joinKeyHeads(b, b.matmul(probabilities, dO, { transposeA: true }), key),
  ];
}

function splitHeads(b: GraphBuilder, inputs: readonly Value[], attributes: AttentionAttributes): Heads {
  const [queryInput, keyInput, valueInput, mask] = inputs as [Value, Value, Value, Value];
  const { heads, keyValueHeads, headDim } = attributes;
  const [batch, queries] = queryInput.shape as [number, number];
  const keys = keyInput.shape[1]!;
  const groups = heads / keyValueHeads;
  const scale = 1 / Math.sqrt(headDim);
  const query = splitQueryHeads(b, queryInput, attributes);
  const key = splitKeyHeads(b, keyInput, attributes);
  const value = splitKeyHeads(b, valueInput, attributes);
  const scores = b.matmul(query, key, { transposeB: true, alpha: scale }); // [B, N, G·T, K]
  const masked = b.add(
    b.reshape(scores, [batch, keyValueHeads, groups, queries, keys]),
    b.reshape(mask, [mask.shape[0]!, 1, 1, queries, keys]),
  );
  const probabilities = b.reshape(b.softmax(masked), scores.shape);
  return { query, key, value, probabilities, scale };
}

function splitQueryHeads(b: GraphBuilder, x: Value, { heads, keyValueHeads, headDim }: AttentionAttributes): Value {
  const [batch, queries] = x.shape as [number, number];
  const groups = heads / keyValueHeads;
  const split = b.transpose(b.reshape(x, [batch, queries, keyValueHeads, groups, headDim]), [0, 2, 3, 1, 4]);
  return b.reshape(split, [batch, keyValueHeads, groups * queries, headDim]);
}

function splitKeyHeads(b: GraphBuilder, x: Value, { keyValueHeads, headDim }: AttentionAttributes): Value {
  const [batch, keys] = x.shape as [number, number];
  return b.transpose(b.reshape(x, [batch, keys, keyValueHeads, headDim]), [0, 2, 1, 3]);
}

function joinQueryHeads(b: GraphBuilder, x: Value, like: Value, { heads, keyValueHeads, headDim }: AttentionAttributes): Value {
  const [batch, queries] = like.shape as [number, number];
  const split = b.reshape(x, [batch, keyValueHeads, heads / keyValueHeads, queries, headDim]);
  return b.reshape(b.transpose(split, [0, 3, 1, 2, 4]), like.shape);
}

function joinKeyHeads(b: GraphBuilder, x: Value, like: Value): Value {
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), like.shape);
}
