/** @file Attention over primitives, and its derivative, which needs neither stored probabilities nor expanded KV heads. */
import type { GraphBuilder } from './builder.js';
import type { AttentionAttributes, OpAttributes, Value } from './types.js';

// B batch, T queries, K keys, t queries of a block, k keys that they may see, N key/value heads, G query heads per key/value
// head, D headDim.

/**
 * Under a causal mask the queries go in blocks: n blocks compute (n + 1)/2n of all scores, and hold 1/n of them at a time. More
 * blocks make smaller products and longer programs for little, so there are more only where a block's scores would be large.
 */
const wantedBlocks = 8;
const shortestBlock = 64;
const mostScoreElements = 2 ** 24;

/** A run of queries, and the keys that any of them may see. */
export interface QueryBlock {
  readonly start: number;
  readonly end: number;
  readonly keys: number;
}

/** The blocks of causal attention over sequences of `length` tokens. */
export function causalBlocks(batchSize: number, length: number, heads: number): QueryBlock[] {
  const longest = Math.max(1, Math.floor(mostScoreElements / (batchSize * heads * length)));
  const blockLength = Math.min(Math.max(shortestBlock, Math.ceil(length / wantedBlocks)), longest);
  const starts = Array.from({ length: Math.ceil(length / blockLength) }, (_, i) => i * blockLength);
  return starts.map((start) => {
    const end = Math.min(start + blockLength, length);
    return { start, end, keys: end };
  });
}

interface Heads {
  /** [B, N, G·t, D]: the query heads of a group stand below each other, so that keys need no copy per query head. */
  readonly query: Value;
  /** [B, N, k, D] */
  readonly key: Value;
  readonly value: Value;
  /** [B, N, G·t, k] */
  readonly probabilities: Value;
  readonly scale: number;
}

type Attributes = OpAttributes['attention'];

/** Query, key and value come before the masks. */
const firstMask = 3;

/** softmax(q·kᵀ/√D + mask)·v. Shapes: see OpAttributes.attention. */
export function attentionForward(b: GraphBuilder, inputs: readonly Value[], attributes: Attributes): Value {
  const outputs = blocksOf(inputs, attributes).map((block, index) => {
    const { probabilities, value } = headsOf(b, inputs, block, inputs[firstMask + index]!, attributes);
    return joinQueryHeads(b, b.matmul(probabilities, value), block, attributes);
  });
  return b.concat(outputs, 1);
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
  attributes: Attributes,
): [Value, Value, Value] {
  const gradients = blocksOf(inputs, attributes).map((block, index) => {
    const { query, key, value, probabilities, scale } = headsOf(b, inputs, block, inputs[firstMask + index]!, attributes);
    const ofBlock = (x: Value): Value => splitQueryHeads(b, sliceRows(b, x, block), attributes);
    const dO = ofBlock(dOutput); // [B, N, G·t, D]
    const delta = b.sumLast(b.multiply(dO, ofBlock(output))); // [B, N, G·t, 1]
    const dP = b.matmul(dO, value, { transposeB: true }); // [B, N, G·t, k]
    const dS = b.multiply(probabilities, b.subtract(dP, delta));
    return {
      dQuery: joinQueryHeads(b, b.matmul(dS, key, { alpha: scale }), block, attributes),
      dKey: b.matmul(dS, query, { transposeA: true, alpha: scale }), // [B, N, k, D]
      dValue: b.matmul(probabilities, dO, { transposeA: true }),
    };
  });
  return [
    b.concat(gradients.map(({ dQuery }) => dQuery), 1),
    joinKeyHeads(b, sumOfPrefixes(b, gradients.map(({ dKey }) => dKey)), inputs[1]!),
    joinKeyHeads(b, sumOfPrefixes(b, gradients.map(({ dValue }) => dValue)), inputs[2]!),
  ];
}

/** Without a causal mask every query may see every key, and there is one block. */
function blocksOf([query, key]: readonly Value[], { causal, heads }: Attributes): QueryBlock[] {
  const [batchSize, queries] = query!.shape as [number, number];
  return causal ? causalBlocks(batchSize, queries, heads) : [{ start: 0, end: queries, keys: key!.shape[1]! }];
}

function headsOf(b: GraphBuilder, inputs: readonly Value[], block: QueryBlock, mask: Value, attributes: Attributes): Heads {
  const [queryInput, keyInput, valueInput] = inputs as [Value, Value, Value];
  const { heads, keyValueHeads, headDim } = attributes;
  const batch = queryInput.shape[0]!;
  const queries = block.end - block.start;
  const { keys } = block;
  const scale = 1 / Math.sqrt(headDim);
  const query = splitQueryHeads(b, sliceRows(b, queryInput, block), attributes);
  const key = b.slice(splitKeyHeads(b, keyInput, attributes), 2, 0, keys);
  const value = b.slice(splitKeyHeads(b, valueInput, attributes), 2, 0, keys);
  const scores = b.matmul(query, key, { transposeB: true, alpha: scale }); // [B, N, G·t, k]
  const masked = b.add(
    b.reshape(scores, [batch, keyValueHeads, heads / keyValueHeads, queries, keys]),
    b.reshape(mask, [mask.shape[0]!, 1, 1, queries, keys]),
  );
  const probabilities = b.reshape(b.softmax(masked), scores.shape);
  return { query, key, value, probabilities, scale };
}

function sliceRows(b: GraphBuilder, x: Value, { start, end }: QueryBlock): Value {
  return b.slice(x, 1, start, end);
}

/** Σ of values [B, N, k, D] with growing k, where the shorter ones have zeros behind them. */
function sumOfPrefixes(b: GraphBuilder, values: readonly Value[]): Value {
  let sum = values.at(-1)!;
  const done: Value[] = [];
  for (const value of values.slice(0, -1).reverse()) {
    const length = value.shape[2]!;
    done.unshift(b.slice(sum, 2, length, sum.shape[2]!));
    sum = b.add(b.slice(sum, 2, 0, length), value);
  }
  return b.concat([sum, ...done], 2);
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

/** [B, N, G·t, D] → [B, t, heads · D]. */
function joinQueryHeads(b: GraphBuilder, x: Value, { start, end }: QueryBlock, { heads, keyValueHeads, headDim }: AttentionAttributes): Value {
  const batch = x.shape[0]!;
  const split = b.reshape(x, [batch, keyValueHeads, heads / keyValueHeads, end - start, headDim]);
  return b.reshape(b.transpose(split, [0, 3, 1, 2, 4]), [batch, end - start, heads * headDim]);
}

function joinKeyHeads(b: GraphBuilder, x: Value, like: Value): Value {
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), like.shape);
}
