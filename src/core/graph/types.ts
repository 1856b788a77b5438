/** @file The intermediate representation: immutable single-result nodes; a graph is whatever can be reached from its outputs. */
import { elementCount, type Shape } from '../shape.js';

export type DType = 'float32' | 'float16' | 'bfloat16' | 'int32' | 'int64' | 'int8' | 'uint8' | 'bool';

/** The kind of device that a graph's programs run on and are shaped for. */
export type DeviceKind = 'cpu' | 'webgpu';

/** The closed set of operations with their attributes. Their result types and shapes are in ops.ts. */
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
   * x · Wᵀ where W [outFeatures, inFeatures] is stored in blocks along its rows, in the layout of com.microsoft.MatMulNBits:
   * codes [out, blocks, blockSize · bits / 8] uint8 around the zero point 2^(bits−1), scales [out · blocks].
   */
  quantizedMatmul: QuantizedAttributes;
  /**
   * A matrix [rows, columns] from blocks of 32 columns: codes [rows, blocks, 4 · bits] uint8, scales [rows, blocks] and optional
   * minimums [rows, blocks]. A code c means scale · c + minimum, or scale · (c − 2^(bits−1)) without minimums. With 4 bits,
   * the low nibbles of a block are its first 16 columns and the high nibbles the others, as in GGUF's Q4_0 and Q4_1.
   */
  dequantize: { readonly bits: 4 | 8 };
  /**
   * x · W in integers: x [rows, inner] is rounded to 8 bits, each row with its own scale, and W [inner, columns] is
   * codes [inner, columns] int8 ⊙ scales [columns]. Two more operands, reverseCodes [columns, inner] int8 and
   * reverseScales [inner], are Wᵀ rounded in the same way, for the derivative. Both products of a frozen linear are computed so
   * in SwitchBack (https://arxiv.org/abs/2304.13013). With a sixth operand, smoothing [inner], x is multiplied by it before it is
   * rounded, and the codes are those of W divided by it (SmoothQuant, https://arxiv.org/abs/2211.10438); Wᵀ is not.
   */
  integerMatmul: object;
  /** The largest magnitude over the last axis, which remains with length 1. */
  largestLast: object;
  /** x [rows, columns] / scale [rows, 1], rounded and limited to ±127, plus 128: uint8. */
  roundRows: object;
  /** 255 · x, rounded to the nearest code from 0 to 255: uint8. */
  roundShares: object;
  /**
   * factor · (a − zeroPoint) · codes ⊙ scales, exact in integers: a [rows, inner] uint8, codes [inner, columns] int8, scales
   * [columns].
   */
  integerProduct: { readonly zeroPoint: 0 | 128; readonly factor: number };
  /**
   * x · (codes ⊙ scales): x [..., inner] is rounded to 8 bits with one scale for all of it, codes [inner, columns] int8, scales
   * [columns].
   */
  roundedMatmul: object;

  reshape: { readonly shape: Shape };
  transpose: { readonly permutation: readonly number[] };
  broadcastTo: { readonly shape: Shape };
  slice: { readonly axis: number; readonly start: number; readonly end: number };
  concat: { readonly axis: number };
  /** Sums over the axes, which remain with length 1. */
  reduceSum: { readonly axes: readonly number[] };
  /** The maximum over the last axis, which remains with length 1. */
  maxLast: object;
  /** Rows of a table: table [n, …], indices [m] → [m, …]. */
  gatherRows: object;
  /**
   * base [n, …] with updates [m, …] added at the rows given by indices [m] int32. Indices must not repeat when a program
   * runs: ONNX Runtime adds the rows in parallel, without locks.
   */
  scatterAddRows: object;

  /** Over the last axis. */
  softmax: object;
  /** log Σ exp over the last axis, which remains with length 1. */
  logSumExp: object;
  /** x · sigmoid(x). */
  silu: object;
  /** silu(gate) ⊙ up (https://arxiv.org/abs/2002.05202). */
  swiglu: object;
  /** x / √(mean(x²) + ε) ⊙ weight over the last axis (https://arxiv.org/abs/1910.07467). */
  rmsNorm: { readonly epsilon: number };
  /** 1 / √(mean(x²) + ε) of an rmsNorm, its only operand: over the last axis, which remains with length 1. */
  inverseRms: object;
  /**
   * Rotary embedding (https://arxiv.org/abs/2104.09864) in the rotate-half layout of Hugging Face.
   * x [batch, sequence, heads · headDim], positionIds [batch, sequence] int64, cos and sin [positions, headDim / 2].
   * `inverse` rotates by −θ.
   */
  rope: { readonly inverse: boolean };
  /**
   * Grouped-query attention with additive masks.
   * query [batch, sequence, heads · headDim], key and value [batch, keys, keyValueHeads · headDim] and one or more masks
   * [batch, 1, queries, keys] → [batch, sequence, heads · headDim]. The first mask is for the first queries, and so on; a mask
   * with fewer keys hides the remaining ones, whose scores are never computed (causalBlocks in attention.ts).
   */
  attention: AttentionAttributes;
  /**
   * Causal attention of new tokens to a cache and to themselves (com.microsoft.GroupQueryAttention).
   * query [1, T, heads · headDim], key and value [1, T, keyValueHeads · headDim], pastKey and pastValue
   * [1, keyValueHeads, capacity, headDim], lastIndex [1] int32 (of the last valid position after this call) and
   * totalLength [1] int32 → [1, T, heads · headDim].
   */
  cachedAttention: CachedAttentionAttributes;
  /** The cache after a cachedAttention, its only operand; shaped like pastKey. `presentValue` is the same for pastValue. */
  presentKey: object;
  presentValue: object;
  /** Tokens of a sequence: x [1, T, …], whatever T is at run time, indices [m] → [1, m, …]. */
  tokensAt: object;
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
  /** Factor applied to the scores. */
  readonly scale: number;
}

export interface CachedAttentionAttributes extends AttentionAttributes {
  /** Size of the attention window, including the current token; null means unlimited. */
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
  /** Where the value comes from, for messages and profiles: `layer/mlp`, with a ′ in the backward pass. */
  readonly scope: string;
}

/** A piece of a graph made ready to run: its outputs and the values it is given, both by name. */
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
  int8: 1,
  uint8: 1,
  bool: 1,
};

export function tensorBytes({ dtype, shape }: { readonly dtype: DType; readonly shape: Shape }): number {
  return elementBytes[dtype] * elementCount(shape);
}
