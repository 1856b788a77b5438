/** @file Result type and shape of every operation. A violated precondition is a bug in our code, so it throws `internal:`. */
import { elementCount, sameShape, type Shape } from '../shape.js';
import type { DType, OpAttributes, OpName, Value } from './types.js';

interface Result {
  readonly dtype: DType;
  readonly shape: Shape;
}
type Infer<K extends OpName> = (inputs: readonly Value[], attributes: OpAttributes[K]) => Result;

/** Exhaustive: a new operation without an entry does not compile. The builder creates `input` and `constant` itself. */
export const inferResult: { readonly [K in Exclude<OpName, 'input' | 'constant'>]: Infer<K> } = {
  add: broadcasting,
  subtract: broadcasting,
  multiply: broadcasting,
  divide: broadcasting,
  negate: likeFirst,
  log: likeFirst,
  sqrt: likeFirst,
  floor: likeFirst,
  sigmoid: likeFirst,
  equal: comparing,
  lessOrEqual: comparing,
  where: ([condition, a, b]) => ({
    dtype: a!.dtype,
    shape: broadcastShapes(condition!.shape, broadcastShapes(a!.shape, b!.shape)),
  }),
  cast: ([x], { to }) => ({ dtype: to, shape: x!.shape }),

  matmul: ([a, b], { transposeA, transposeB }) => {
    const [rows, inner] = matrixShape(a!, transposeA);
    const [innerB, columns] = matrixShape(b!, transposeB);
    assertThat(inner === innerB, `matmul of [${a!.shape}] and [${b!.shape}]: inner lengths differ`);
    const batch = broadcastShapes(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
    return { dtype: a!.dtype, shape: [...batch, rows, columns] };
  },
  gemm: ([a, b, c], { transposeA, transposeB }) => {
    const [rows, inner] = matrixShape(a!, transposeA);
    const [innerB, columns] = matrixShape(b!, transposeB);
    assertThat(inner === innerB && a!.shape.length === 2 && b!.shape.length === 2, `gemm of [${a!.shape}] and [${b!.shape}]`);
    assertThat(sameShape(broadcastShapes(c!.shape, [rows, columns]), [rows, columns]), `gemm onto [${c!.shape}]`);
    return { dtype: a!.dtype, shape: [rows, columns] };
  },
  quantizedMatmul: ([x], { outFeatures, inFeatures }) => {
    assertThat(x!.shape.at(-1) === inFeatures, `quantizedMatmul of [${x!.shape}] with ${inFeatures} input features`);
    return { dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), outFeatures] };
  },
  dequantize: ([codes, scales, minimums], { bits }) => {
    const [rows, blocks] = scales!.shape as [number, number];
    assertThat(
      sameShape(codes!.shape, [rows, blocks, 4 * bits]),
      `${bits}-bit codes [${codes!.shape}] with scales [${scales!.shape}]`,
    );
    assertThat(
      !minimums || sameShape(minimums.shape, scales!.shape),
      `minimums [${minimums?.shape}] with scales [${scales!.shape}]`,
    );
    return { dtype: scales!.dtype, shape: [rows, 32 * blocks] };
  },
  integerMatmul: ([x, codes, scales, reverseCodes, reverseScales, smoothing]) => {
    const [inner, columns] = codes!.shape as [number, number];
    assertThat(sameShape(reverseCodes!.shape, [columns, inner]), `codes [${codes!.shape}] and [${reverseCodes!.shape}]`);
    assertThat(sameShape(reverseScales!.shape, [inner]), `reverse scales [${reverseScales!.shape}] for [${codes!.shape}]`);
    assertThat(!smoothing || sameShape(smoothing.shape, [inner]), `smoothing [${smoothing?.shape}] for [${codes!.shape}]`);
    return integerProductResult(x!, codes!, scales!);
  },
  largestLast: ([x]) => ({ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), 1] }),
  roundRows: ([x, scale]) => {
    assertThat(sameShape(scale!.shape, [x!.shape[0]!, 1]), `rows of [${x!.shape}] with scales [${scale!.shape}]`);
    return { dtype: 'uint8', shape: x!.shape };
  },
  roundShares: ([x]) => ({ dtype: 'uint8', shape: x!.shape }),
  integerProduct: ([a, codes, scales]) => integerProductResult(a!, codes!, scales!),
  roundedMatmul: ([x, codes, scales]) => {
    const rows = elementCount(x!.shape.slice(0, -1));
    const product = integerProductResult({ shape: [rows, x!.shape.at(-1)!] }, codes!, scales!);
    return { dtype: product.dtype, shape: [...x!.shape.slice(0, -1), product.shape[1]!] };
  },

  reshape: ([x], { shape }) => {
    assertThat(elementCount(shape) === elementCount(x!.shape), `reshape of [${x!.shape}] to [${shape}]`);
    return { dtype: x!.dtype, shape };
  },
  transpose: ([x], { permutation }) => ({ dtype: x!.dtype, shape: permutation.map((axis) => x!.shape[axis]!) }),
  broadcastTo: ([x], { shape }) => {
    assertThat(sameShape(broadcastShapes(x!.shape, shape), shape), `broadcast of [${x!.shape}] to [${shape}]`);
    return { dtype: x!.dtype, shape };
  },
  slice: ([x], { axis, start, end }) => {
    assertThat(start >= 0 && start < end && end <= x!.shape[axis]!, `slice ${start}:${end} of axis ${axis} of [${x!.shape}]`);
    return { dtype: x!.dtype, shape: x!.shape.map((length, i) => (i === axis ? end - start : length)) };
  },
  concat: (inputs, { axis }) => ({
    dtype: inputs[0]!.dtype,
    shape: inputs[0]!.shape.map((length, i) => (i === axis ? inputs.reduce((sum, x) => sum + x.shape[axis]!, 0) : length)),
  }),
  reduceSum: ([x], { axes }) => ({ dtype: x!.dtype, shape: x!.shape.map((length, i) => (axes.includes(i) ? 1 : length)) }),
  maxLast: ([x]) => ({ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), 1] }),
  gatherRows: ([table, indices]) => ({ dtype: table!.dtype, shape: [...indices!.shape, ...table!.shape.slice(1)] }),
  scatterAddRows: ([base, indices, updates]) => {
    assertThat(
      sameShape(updates!.shape, [...indices!.shape, ...base!.shape.slice(1)]),
      `scatter of [${updates!.shape}] onto [${base!.shape}]`,
    );
    return { dtype: base!.dtype, shape: base!.shape };
  },

  softmax: likeFirst,
  logSumExp: ([x]) => ({ dtype: x!.dtype, shape: [...x!.shape.slice(0, -1), 1] }),
  silu: likeFirst,
  swiglu: broadcasting,
  rmsNorm: ([x, weight]) => {
    assertThat(weight!.shape.at(-1) === x!.shape.at(-1), `rmsNorm of [${x!.shape}] with weight [${weight!.shape}]`);
    return { dtype: x!.dtype, shape: x!.shape };
  },
  inverseRms: ([norm]) => ({ dtype: norm!.dtype, shape: [...norm!.shape.slice(0, -1), 1] }),
  rope: likeFirst,
  attention: ([query, key, value], { heads, keyValueHeads, headDim }) => {
    assertThat(query!.shape.at(-1) === heads * headDim, `attention query [${query!.shape}]`);
    assertThat(
      key!.shape.at(-1) === keyValueHeads * headDim && sameShape(key!.shape, value!.shape),
      `attention key [${key!.shape}]`,
    );
    return { dtype: query!.dtype, shape: query!.shape };
  },
  cachedAttention: likeFirst,
  presentKey: ([attention]) => likeFirst([attention!.inputs[3]!]),
  presentValue: ([attention]) => likeFirst([attention!.inputs[4]!]),
  tokensAt: ([x, indices]) => ({ dtype: x!.dtype, shape: [1, ...indices!.shape, ...x!.shape.slice(2)] }),
};

function likeFirst([x]: readonly Value[]): Result {
  return { dtype: x!.dtype, shape: x!.shape };
}

function broadcasting([a, b]: readonly Value[]): Result {
  assertThat(a!.dtype === b!.dtype, `operands of types ${a!.dtype} and ${b!.dtype}`);
  return { dtype: a!.dtype, shape: broadcastShapes(a!.shape, b!.shape) };
}

function integerProductResult(a: Pick<Value, 'shape'>, codes: Value, scales: Value): Result {
  const [inner, columns] = codes.shape as [number, number];
  assertThat(codes.dtype === 'int8' && sameShape(scales.shape, [columns]), `codes [${codes.shape}], scales [${scales.shape}]`);
  assertThat(a.shape.length === 2 && a.shape[1] === inner, `integer product of [${a.shape}] and [${codes.shape}]`);
  return { dtype: scales.dtype, shape: [a.shape[0]!, columns] };
}

function comparing(inputs: readonly Value[]): Result {
  return { dtype: 'bool', shape: broadcasting(inputs).shape };
}

function matrixShape(x: Value, transposed: boolean): [number, number] {
  const [rows, columns] = x.shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
}

/** NumPy's broadcasting rule. */
function broadcastShapes(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const lengthA = a[axis - rank + a.length] ?? 1;
    const lengthB = b[axis - rank + b.length] ?? 1;
    assertThat(lengthA === lengthB || lengthA === 1 || lengthB === 1, `shapes [${a}] and [${b}] do not broadcast`);
    return lengthA === 1 ? lengthB : lengthA;
  });
}

function assertThat(condition: boolean, message: string): void {
  if (!condition) throw new Error(`internal: ${message}`);
}
