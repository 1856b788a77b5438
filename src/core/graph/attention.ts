/** @file Attention built from primitives, and its derivative, which needs neither stored probabilities nor expanded KV heads. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { GraphBuilder } from './builder.js';
import type { AttentionAttributes, DeviceKind, Value } from './types.js';

// B batch, T queries, K keys, t queries in a block, k keys that they may see, N key/value heads, G query heads per key/value
// head, D headDim.

/**
 * Under a causal mask, queries are processed in blocks: n blocks compute (n + 1)/2n of all scores and hold 1/n of them at a time.
 * On a CPU that saves time until the products get too small. A GPU computes scores faster than it launches operations, so there
 * only memory matters.
 */
const targetBlocks: Readonly<Record<DeviceKind, number>> = { cpu: 8, webgpu: 1 };
const shortestBlock = 64;
/**
 * Per block. On a GPU, a tensor must stay below what every device can bind; on a CPU, it should stay small next to what a
 * sequence of that length keeps in memory anyway.
 */
const maxScoreElements: Readonly<Record<DeviceKind, number>> = { cpu: 2 ** 26, webgpu: 2 ** 24 };
/** Each block adds a dozen operations to the program. */
const maxBlocks = 256;

/** A run of queries, and the number of keys that any of them may see. */
interface QueryBlock {
  readonly start: number;
  readonly end: number;
  readonly keys: number;
}

/** The blocks of causal attention over sequences of `length` tokens. Throws UserError if there would be too many. */
export function causalBlocks(batchSize: number, length: number, heads: number, device: DeviceKind): QueryBlock[] {
  const longest = longestBlock(batchSize, length, heads, device);
  if (longest * maxBlocks < length) throw tooLong(batchSize, length, heads, device);
  const wanted = Math.max(shortestBlock, Math.ceil(length / targetBlocks[device]));
  const blockLength = wanted <= longest ? wanted : Math.ceil(length / Math.ceil(length / longest));
  const starts = Array.from({ length: Math.ceil(length / blockLength) }, (_, i) => i * blockLength);
  return starts.map((start) => {
    const end = Math.min(start + blockLength, length);
    return { start, end, keys: end };
  });
}

function longestBlock(batchSize: number, length: number, heads: number, device: DeviceKind): number {
  return Math.floor(maxScoreElements[device] / (batchSize * heads * length));
}

function tooLong(batchSize: number, length: number, heads: number, device: DeviceKind): UserError {
  let longest = 32 * Math.floor(length / 32);
  while (longestBlock(batchSize, longest, heads, device) * maxBlocks < longest) longest -= 32;
  const message =
    batchSize === 1
      ? t`Attention over one row of ${length} tokens is more than can be computed here. Lower data.max_seq_length to ${longest}.`
      : t`Attention over ${batchSize} rows of ${length} tokens is more than can be computed here. Lower data.max_seq_length to ${longest}, or train.batch_size.`;
  return new UserError('config-invalid', message, { setting: ['data', 'max_seq_length'] });
}

interface Scores {
  /** [B, N, G·t, D] */
  readonly query: Value;
  /** [B, N, k, D] */
  readonly key: Value;
  readonly value: Value;
  /** [B, N, G·t, k] */
  readonly probabilities: Value;
}

/** Query, key and value come before the masks. */
const firstMask = 3;

/** softmax(scale · q·kᵀ + mask)·v. Shapes: see OpAttributes.attention. */
export function attentionForward(b: GraphBuilder, inputs: readonly Value[], attributes: AttentionAttributes): Value {
  const outputs = scoresOfBlocks(b, inputs, attributes).map(({ probabilities, value }) => b.matmul(probabilities, value));
  return joinQueryHeads(b, outputs, inputs[0]!, attributes);
}

/**
 * With P = softmax(S), O = P·V:  dV = Pᵀ·dO;  dP = dO·Vᵀ;  dS = P ⊙ (dP − δ) where δ = Σ_D dO ⊙ O,
 * which equals Σ_K dP ⊙ P and costs K/D times less (https://arxiv.org/abs/2205.14135, appendix B.2);
 * dQ = scale · dS·K;  dK = scale · dSᵀ·Q.
 */
export function attentionBackward(
  b: GraphBuilder,
  inputs: readonly Value[],
  output: Value,
  dOutput: Value,
  attributes: AttentionAttributes,
): [Value, Value, Value] {
  const blocks = blocksOf(inputs);
  const dOutputs = splitQueryHeads(b, dOutput, blocks, attributes); // each [B, N, G·t, D]
  const deltas = splitQueryHeads(b, b.multiply(dOutput, output), blocks, attributes, (x) => b.sumLast(x)); // each [B, N, G·t, 1]
  const alpha = attributes.scale;
  const gradients = scoresOfBlocks(b, inputs, attributes).map(({ query, key, value, probabilities }, index) => {
    const dO = dOutputs[index]!;
    const dP = b.matmul(dO, value, { transposeB: true }); // [B, N, G·t, k]
    const dS = b.multiply(probabilities, b.subtract(dP, deltas[index]!));
    return {
      dQuery: b.matmul(dS, key, { alpha }),
      dKey: b.matmul(dS, query, { transposeA: true, alpha }), // [B, N, k, D]
      dValue: b.matmul(probabilities, dO, { transposeA: true }),
    };
  });
  return [
    joinQueryHeads(
      b,
      gradients.map(({ dQuery }) => dQuery),
      inputs[0]!,
      attributes,
    ),
    joinKeyHeads(
      b,
      sumOfPrefixes(
        b,
        gradients.map(({ dKey }) => dKey),
      ),
      inputs[1]!,
    ),
    joinKeyHeads(
      b,
      sumOfPrefixes(
        b,
        gradients.map(({ dValue }) => dValue),
      ),
      inputs[2]!,
    ),
  ];
}

/** There is one mask per block. */
function blocksOf(inputs: readonly Value[]): QueryBlock[] {
  let start = 0;
  return inputs.slice(firstMask).map(({ shape }) => {
    const [queries, keys] = shape.slice(2) as [number, number];
    return { start, end: (start += queries), keys };
  });
}

function scoresOfBlocks(b: GraphBuilder, inputs: readonly Value[], attributes: AttentionAttributes): Scores[] {
  const [query, key, value, ...masks] = inputs as [Value, Value, Value, ...Value[]];
  const blocks = blocksOf(inputs);
  const queries = splitQueryHeads(b, query, blocks, attributes);
  const [allKeys, allValues] = [splitKeyHeads(b, key, attributes), splitKeyHeads(b, value, attributes)];
  return blocks.map(({ keys }, index) => {
    const own = { query: queries[index]!, key: b.slice(allKeys, 2, 0, keys), value: b.slice(allValues, 2, 0, keys) };
    const scores = b.matmul(own.query, own.key, { transposeB: true, alpha: attributes.scale }); // [B, N, G·t, k]
    return { ...own, probabilities: b.reshape(b.softmax(masked(b, scores, masks[index]!)), scores.shape) };
  });
}

/** scores [B, N, G·t, k], mask [B, 1, t, k] → [B, N, G, t, k]. */
function masked(b: GraphBuilder, scores: Value, mask: Value): Value {
  const [batch, keyValueHeads, groupQueries, keys] = scores.shape as [number, number, number, number];
  const queries = mask.shape[2]!;
  const byHead = b.reshape(scores, [batch, keyValueHeads, groupQueries / queries, queries, keys]);
  return b.add(byHead, b.reshape(mask, [mask.shape[0]!, 1, 1, queries, keys]));
}

/** Σ of values [B, N, k, D] with growing k; the shorter ones count as padded with zeros at the end. */
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

/**
 * x [B, T, heads · D] → each block's [B, N, G·t, D]: the query heads of a group are stacked, so that keys need not be copied
 * for each query head. `along` may transform the axis D.
 */
function splitQueryHeads(
  b: GraphBuilder,
  x: Value,
  blocks: readonly QueryBlock[],
  { heads, keyValueHeads, headDim }: AttentionAttributes,
  along: (x: Value) => Value = (x) => x,
): Value[] {
  const [batch, length] = x.shape as [number, number];
  const groups = heads / keyValueHeads;
  const byHead = b.transpose(along(b.reshape(x, [batch, length, keyValueHeads, groups, headDim])), [0, 2, 3, 1, 4]);
  const rows = blocks.map(({ start, end }) => end - start);
  return b
    .split(byHead, 3, rows)
    .map((block) => b.reshape(block, [batch, keyValueHeads, groups * block.shape[3]!, block.shape[4]!]));
}

/** Each block's [B, N, G·t, D] → [B, T, heads · D], which is the shape of `like`. */
function joinQueryHeads(
  b: GraphBuilder,
  blocks: readonly Value[],
  like: Value,
  { heads, keyValueHeads, headDim }: AttentionAttributes,
): Value {
  const groups = heads / keyValueHeads;
  const byHead = blocks.map((block) =>
    b.reshape(block, [block.shape[0]!, keyValueHeads, groups, block.shape[2]! / groups, headDim]),
  );
  return b.reshape(b.transpose(b.concat(byHead, 3), [0, 3, 1, 2, 4]), like.shape);
}

function splitKeyHeads(b: GraphBuilder, x: Value, { keyValueHeads, headDim }: AttentionAttributes): Value {
  const [batch, keys] = x.shape as [number, number];
  return b.transpose(b.reshape(x, [batch, keys, keyValueHeads, headDim]), [0, 2, 1, 3]);
}

function joinKeyHeads(b: GraphBuilder, x: Value, like: Value): Value {
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), like.shape);
}
