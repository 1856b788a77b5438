/** @file The intermediate representation: immutable single-result nodes; a graph is whatever its outputs reach. */
import { elementCount, type Shape } from '../shape.js';

export type DType = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'uint8' | 'bool';

/** What the programs of a graph run on, and are shaped for. */
export type DeviceKind = 'cpu' | 'webgpu';

/** The closed set of operations with their attributes. What each computes is said in ops.ts. */
export interface OpAttributes {
  input: { readonly name: string };
  /** A small host constant, row-major. */
  constant: { readonly values: readonly number[] };

  add: object;
  subtract: object;
  multiply: object;
  divide: object;
  negate: object;
  log: object;
  sqrt: object;
  floor: object;
  sigmoid: object;
  equal: object;
  lessOrEqual: object;
  where: object;
  cast: { readonly to: DType };

  /** alpha · op(a) · op(b) over the last two axes; leading axes broadcast. */
  matmul: { readonly transposeA: boolean; readonly transposeB: boolean; readonly alpha: number };
  /** c + alpha · op(a) · op(b), all of rank 2: what a BLAS calls GEMM. */
  gemm: { readonly transposeA: boolean; readonly transposeB: boolean; readonly alpha: number };
  /**
   * x · Wᵀ where W [outFeatures, inFeatures] is stored in blocks along its rows, as com.microsoft.MatMulNBits has it:
   * codes [out, blocks, blockSize · bits / 8] uint8 around the zero point 2^(bits−1), scales [out · blocks].
   */
  quantizedMatmul: QuantizedAttributes;
  /**
   * A matrix [rows, columns] from blocks of 32 columns: codes [rows, blocks, 4 · bits] uint8, scales [rows, blocks] and, where given,
   * minimums [rows, blocks]. A code c means scale · c + minimum, or scale · (c − 2^(bits−1)) without minimums. With 4 bits the low
   * nibbles of a block are its first 16 columns, the high ones the others, as in GGUF's Q4_0 and Q4_1.
   */
  dequantize: { readonly bits: 4 | 8 };

  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  broadcastTo: { readonly shape: Shape };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  concat: { readonly axis: number };
  /** Sums over the axes, which stay with length 1. */
  reduceSum: { readonly axes: readonly number[] };
  /** The largest over the last axis, which stays with length 1. */
  maxLast: object;
  /** Rows of a table: table [n, …], indices [m] → [m, …]. */
  gatherRows: object;
  /**
   * base [n, …] + the updates [m, …] added at rows indices [m] int32. A program that runs must not repeat an index: ONNX Runtime adds
   * the rows in parallel, without locks.
   */
  scatterAddRows: object;

  /** Over the last axis. */
  softmax: object;
  /** log Σ exp over the last axis, which stays with length 1. */
  logSumExp: object;
  /** x · sigmoid(x). */
  silu: object;
  /** silu(gate) ⊙ up (https://arxiv.org/abs/2002.05202). */
  swiglu: object;
  /** x / √(mean(x²) + ε) ⊙ weight over the last axis (https://arxiv.org/abs/1910.07467). */
  rmsNorm: { readonly epsilon: number };
  /** 1 / √(mean(x²) + ε) of an rmsNorm, its only operand: over the last axis, which stays with length 1. */
  inverseRms: object;
  /**
   * Rotary embedding (https://arxiv.org/abs/2104.09864) in the rotate-half layout of Hugging Face.
   * x [batch, sequence, heads · headDim], positionIds [batch, sequence] int64, cos and sin [positions, headDim / 2].
   * `inverse` turns by −θ.
   */
  rope: { readonly inverse: boolean };
  /**
   * Grouped-query attention with additive masks.
   * query [batch, sequence, heads · headDim], key and value [batch, keys, keyValueHeads · headDim] and one mask
   * [batch, 1, queries, keys] or more → [batch, sequence, heads · headDim]. The first mask is for the first queries, and so on; a
   * mask of fewer keys hides those behind them, whose scores are never computed (causalBlocks in attention.ts).
   */
  attention: AttentionAttributes;
  /**
   * Causal attention of new tokens to a cache and to themselves (com.microsoft.GroupQueryAttention).
   * query [1, T, heads · headDim], key and value [1, T, keyValueHeads · headDim], pastKey and pastValue
   * [1, keyValueHeads, capacity, headDim], lastIndex [1] int32 (of the last valid position after this call) and
   * totalLength [1] int32 → [1, T, heads · headDim].
   */
  cachedAttention: CachedAttentionAttributes;
  /** The caches after a cachedAttention, its only operand: like pastKey and pastValue. */
  presentKey: object;
  presentValue: object;
  /** x [1, T, …] → [1, 1, …], of whatever T there is when it runs. */
  lastToken: object;
}

export interface QuantizedAttributes {
  readonly outFeatures: number;
  readonly inFeatures: number;
  readonly bits: 4 | 8;
  readonly blockSize: number;
}

export interface AttentionAttributes {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  /** Of the scores. */
  readonly scale: number;
}

export interface CachedAttentionAttributes extends AttentionAttributes {
  /** So many tokens are seen, the own one among them; null: all. */
  readonly window: number | null;
}

export type OpName = keyof OpAttributes;

export interface Value<K extends OpName = OpName> {
  readonly id: number;
  readonly op: K;
  readonly attributes: OpAttributes[K];
  readonly inputs: readonly Value[];
  readonly dtype: DType;
  readonly shape: Shape;
  /** Where it comes from, for messages and profiles: `layer/mlp`, and with a ′ in the backward pass. */
  readonly scope: string;
}

/** A graph made ready to run: outputs by name, and the values it is given by name. */
export interface Program {
  readonly name: string;
  readonly inputs: ReadonlyMap<string, Value>;
  readonly outputs: ReadonlyMap<string, Value>;
}

const elementBytes: Readonly<Record<DType, number>> = {
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  int64: 8,
  uint8: 1,
  bool: 1,
};

export function tensorBytes({ dtype, shape }: { readonly dtype: DType; readonly shape: Shape }): number {
  return elementBytes[dtype] * elementCount(shape);
}
