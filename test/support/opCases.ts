/**
 * @file Every operation with small inputs: broadcasting, all transposes, repeated indices. Used to test the derivatives and the
 * lowering.
 */
import type { GraphBuilder } from '../../src/core/graph/builder.js';
import type { DType, OpAttributes, OpName, Value } from '../../src/core/graph/types.js';
import { Random } from '../../src/core/random.js';
import type { Shape } from '../../src/core/shape.js';
import { randomTensor, tensor, type Tensor } from './tensors.js';

export interface CaseInput {
  readonly dtype: DType;
  readonly value: Tensor;
}

export interface OpCase {
  readonly name: string;
  /** Derivatives are taken with respect to the real inputs. */
  readonly inputs: Readonly<Record<string, CaseInput>>;
  readonly build: (b: GraphBuilder, inputs: readonly Value[]) => Value;
  /** The error allowed in fp32 arithmetic, if it is larger than usual. */
  readonly tolerance?: number;
}

const random = new Random(42);

const real = (shape: Shape, from = -1, to = 1): CaseInput => ({ dtype: 'float32', value: randomTensor(shape, random, from, to) });
const positive = (shape: Shape): CaseInput => real(shape, 0.5, 2);
const given = (dtype: DType, shape: Shape, numbers: readonly number[]): CaseInput => ({ dtype, value: tensor(shape, numbers) });

function opCase(name: string, inputs: readonly CaseInput[], build: OpCase['build'], tolerance?: number): OpCase {
  const named = Object.fromEntries(inputs.map((input, i) => [`x${i}`, input]));
  return {
    name: `${name} of ${inputs.map(({ value }) => `[${value.shape}]`).join(' ')}`,
    inputs: named,
    build,
    ...(tolerance && { tolerance }),
  };
}

const broadcasts: [Shape, Shape][] = [
  [
    [2, 3],
    [2, 3],
  ],
  [[2, 3], [3]],
  [[3], [2, 3]],
  [
    [2, 1],
    [1, 3],
  ],
  [[], [2, 3]],
  [
    [2, 3, 2],
    [3, 1],
  ],
];

type Unary = 'floor' | 'largestLast' | 'negate' | 'log' | 'sqrt' | 'sigmoid' | 'softmax' | 'logSumExp' | 'silu' | 'maxLast';
const unary = (op: Unary, ...inputs: CaseInput[]): OpCase[] => inputs.map((input) => opCase(op, [input], (b, [x]) => b[op](x!)));

type Binary = 'add' | 'subtract' | 'multiply' | 'divide' | 'swiglu';
const binary = (op: Binary, second: typeof real = real): OpCase[] =>
  broadcasts.map(([a, b]) => opCase(op, [real(a), second(b)], (builder, [x, y]) => builder[op](x!, y!)));

const comparison = (op: 'equal' | 'lessOrEqual', dtype: DType): OpCase =>
  opCase(`${op} ${dtype}`, [given(dtype, [2, 3], [1, 2, 3, 3, 2, 1]), given(dtype, [3], [1, 2, 2])], (b, [x, y]) =>
    b[op](x!, y!),
  );

const transposes = [false, true].flatMap((transposeA) => [false, true].map((transposeB) => ({ transposeA, transposeB })));
const shapeFor = (transposed: boolean, rows: number, columns: number): number[] =>
  transposed ? [columns, rows] : [rows, columns];
const products = (batchA: Shape, batchB: Shape): OpCase[] =>
  transposes.flatMap(({ transposeA, transposeB }) =>
    [1, 0.7].map((alpha) =>
      opCase(
        `${alpha} · ${transposeA ? 'aᵀ' : 'a'}·${transposeB ? 'bᵀ' : 'b'}`,
        [real([...batchA, ...shapeFor(transposeA, 2, 3)]), real([...batchB, ...shapeFor(transposeB, 3, 4)])],
        (b, [x, y]) => b.matmul(x!, y!, { transposeA, transposeB, alpha }),
      ),
    ),
  );

const rope = (inverse: boolean): OpCase =>
  opCase(
    inverse ? 'inverse rope' : 'rope',
    // Two sequences of three tokens, two heads of four features; positions restart, as in a packed row.
    [real([2, 3, 8]), given('int64', [2, 3], [0, 1, 2, 0, 0, 4]), real([5, 2]), real([5, 2])],
    (b, [x, positions, cos, sin]) => b.rope(x!, positions!, cos!, sin!, inverse),
  );

const attention = ({
  batch,
  queries,
  keys,
  ...attributes
}: OpAttributes['attention'] & { batch: number; queries: number; keys: number }): OpCase => {
  const { heads, keyValueHeads, headDim } = attributes;
  // The last query sees everything; the others do not see the keys after their own position.
  const seen = Array.from({ length: queries * keys }, (_, i) => (i % keys <= Math.floor(i / keys) + keys - queries ? 0 : -1e30));
  const mask = given('float32', [1, 1, queries, keys], seen);
  const name = `attention with ${heads} heads over ${keyValueHeads}, ${queries} queries`;
  const keyShape = [batch, keys, keyValueHeads * headDim];
  return opCase(name, [real([batch, queries, heads * headDim]), real(keyShape), real(keyShape), mask], (b, [q, k, v, m]) =>
    b.attention(q!, k!, v!, [m!], attributes),
  );
};

const cached = { heads: 4, keyValueHeads: 2, headDim: 8, scale: 0.4 };
const cachedAttention = (part: 'output' | 'key' | 'value', past: number, added: number, window: number | null = null): OpCase => {
  const [capacity, total] = [6, past + added];
  const cache = [1, cached.keyValueHeads, capacity, cached.headDim];
  const inputs = [
    real([1, added, cached.heads * cached.headDim]),
    real([1, added, cached.keyValueHeads * cached.headDim]),
    real([1, added, cached.keyValueHeads * cached.headDim]),
    real(cache),
    real(cache),
    given('int32', [1], [total - 1]),
    given('int32', [1], [total]),
  ];
  const name = `${part} after ${past} + ${added} tokens${window === null ? '' : `, of which ${window} are seen`}`;
  return opCase(name, inputs, (b, values) => {
    const result = b.cachedAttention(values, { ...cached, window })[part];
    return part === 'output' ? result : b.slice(result, 2, 0, total); // the rest of the cache does not matter
  });
};

const quantized = (bits: 4 | 8): OpCase => {
  const attributes = { outFeatures: 3, inFeatures: 40, bits, blockSize: 32 };
  const codes = Array.from({ length: (3 * 2 * 32 * bits) / 8 }, (_, i) => (i * 37 + 11) % 256);
  const inputs = [real([2, 40]), given('uint8', [3, 2, (32 * bits) / 8], codes), real([6], 0.01, 0.02)];
  // The activations are rounded to 8 bits.
  return opCase(`${bits} bits`, inputs, (b, [x, ...weight]) => b.quantizedMatmul(x!, weight, attributes), 2e-2);
};

// Three blocks per row: an odd number, so the zero points do not fill the last byte.
const packed = (bits: 4 | 8, minimums: boolean): OpCase => {
  const codes = Array.from({ length: 2 * 3 * 4 * bits }, (_, i) => (i * 37 + 11) % 256);
  const inputs = [given('uint8', [2, 3, 4 * bits], codes), real([2, 3], 0.01, 0.02), ...(minimums ? [real([2, 3])] : [])];
  return opCase(`${bits} bits`, inputs, (b, [x, scales, minimum]) => b.dequantize(bits, x!, scales!, minimum));
};

/** A weight [4, 3] with its transpose; codes of at most 63, whose products no processor saturates. */
const integerWeight = [
  given('int8', [4, 3], [63, -1, 20, -63, 5, 6, 0, 44, -31, 8, 63, -9]),
  real([3], 0.01, 0.02),
  given('int8', [3, 4], [63, -60, 0, 9, -1, 5, 44, 63, 20, 6, -31, -9]),
  real([4], 0.01, 0.02),
];

/** Exhaustive: an operation without cases does not compile. */
export const opCases: { readonly [K in OpName]: readonly OpCase[] } = {
  input: [opCase('input', [real([2, 3])], (_b, [x]) => x!)],
  constant: [
    opCase('constant', [], (b) => b.constant([1, 2, 3, 4.5], [2, 2])),
    opCase('int32 constant', [], (b) => b.constant([1, -2], [2], 'int32')),
  ],

  add: binary('add'),
  subtract: binary('subtract'),
  multiply: binary('multiply'),
  divide: binary('divide', positive),
  negate: unary('negate', real([2, 3])),
  log: unary('log', positive([2, 3])),
  sqrt: unary('sqrt', positive([2, 3])),
  floor: unary('floor', real([2, 3], -3, 3)),
  sigmoid: unary('sigmoid', real([2, 3], -4, 4)),
  equal: [comparison('equal', 'int32'), comparison('equal', 'float32')],
  lessOrEqual: [comparison('lessOrEqual', 'int32'), comparison('lessOrEqual', 'float32')],
  where: [
    opCase('where', [given('bool', [2, 3], [1, 0, 0, 1, 1, 0]), real([2, 3]), real([2, 3])], (b, [c, x, y]) =>
      b.where(c!, x!, y!),
    ),
    opCase('where', [given('bool', [2, 1], [1, 0]), real([3]), real([])], (b, [c, x, y]) => b.where(c!, x!, y!)),
  ],
  cast: [
    opCase('uint8 to float32', [given('uint8', [4], [0, 1, 2, 255])], (b, [x]) => b.cast(x!, 'float32')),
    opCase('int32 to bool', [given('int32', [3], [0, 1, -2])], (b, [x]) => b.cast(b.cast(x!, 'bool'), 'float32')),
    opCase('float32 through float16', [real([5])], (b, [x]) => b.cast(b.cast(x!, 'float16'), 'float32'), 1e-3),
  ],

  matmul: [...products([], []), ...products([2], [2]), ...products([2, 1], [3])],
  gemm: transposes.flatMap(({ transposeA, transposeB }) =>
    [[2, 4], [4], [2, 1], []].map((addend) =>
      opCase('gemm', [real(shapeFor(transposeA, 2, 3)), real(shapeFor(transposeB, 3, 4)), real(addend)], (b, [x, y, c]) =>
        b.gemm(x!, y!, c!, { transposeA, transposeB, alpha: 0.7 }),
      ),
    ),
  ),
  quantizedMatmul: [quantized(4), quantized(8)],
  integerMatmul: [
    opCase('integerMatmul', [real([2, 4]), ...integerWeight], (b, [x, ...weight]) => b.integerMatmul(x!, weight)),
    opCase('with a row of zeros', [given('float32', [2, 4], [0, 0, 0, 0, 1, -2, 3, 4]), ...integerWeight], (b, [x, ...weight]) =>
      b.integerMatmul(x!, weight),
    ),
    opCase('with smoothing', [real([2, 4]), ...integerWeight, real([4], 0.5, 2)], (b, [x, ...weight]) =>
      b.integerMatmul(x!, weight),
    ),
  ],
  largestLast: unary('largestLast', real([2, 3]), real([3, 4], -5, -1)),
  // Compared as fp32, which the results of the others are.
  roundRows: [
    opCase('roundRows', [real([2, 6]), real([2, 1], 0.01, 0.03)], (b, [x, scale]) => b.cast(b.roundRows(x!, scale!), 'float32')),
  ],
  roundShares: [
    opCase('roundShares', [given('float32', [2, 4], [0, 1, 0.11, 0.91, -0.01, 1.01, 0.3, 0.003])], (b, [x]) =>
      b.cast(b.roundShares(x!), 'float32'),
    ),
  ],
  integerProduct: [
    opCase(
      'integerProduct',
      [given('uint8', [2, 4], [0, 255, 128, 7, 90, 1, 254, 128]), ...integerWeight.slice(0, 2)],
      (b, [a, codes, scales]) => b.integerProduct(a!, codes!, scales!, { zeroPoint: 128, factor: 1 }),
    ),
    opCase(
      'with zero as it is, and a factor',
      [given('uint8', [2, 4], [0, 255, 128, 7, 90, 1, 254, 128]), ...integerWeight.slice(0, 2)],
      (b, [a, codes, scales]) => b.integerProduct(a!, codes!, scales!, { zeroPoint: 0, factor: 1 / 255 }),
    ),
  ],
  // The activations are rounded to 8 bits.
  roundedMatmul: [
    opCase(
      'roundedMatmul',
      [real([1, 2, 4]), ...integerWeight.slice(0, 2)],
      (b, [x, codes, scales]) => b.roundedMatmul(x!, codes!, scales!),
      2e-2,
    ),
  ],
  dequantize: [packed(4, false), packed(4, true), packed(8, false), packed(8, true)],

  reshape: [
    opCase('reshape', [real([2, 6])], (b, [x]) => b.reshape(x!, [3, 2, 2])),
    opCase('reshape', [real([1, 1])], (b, [x]) => b.reshape(x!, [])),
  ],
  transpose: [
    [0, 2, 1],
    [2, 0, 1],
    [1, 2, 0],
  ].map((permutation) => opCase('transpose', [real([2, 3, 4])], (b, [x]) => b.transpose(x!, permutation))),
  broadcastTo: [[], [1, 3], [2, 1]].map((shape) => opCase('broadcastTo', [real(shape)], (b, [x]) => b.broadcastTo(x!, [2, 3]))),
  slice: [
    [0, 1],
    [1, 3],
    [2, 4],
  ].map(([start, end]) => opCase(`slice ${start}:${end}`, [real([2, 4, 2])], (b, [x]) => b.slice(x!, 1, start!, end!))),
  concat: [
    opCase('concat', [real([2, 1]), real([2, 3]), real([2, 2])], (b, inputs) => b.concat(inputs, 1)),
    opCase('concat', [real([1, 2]), real([3, 2])], (b, inputs) => b.concat(inputs, 0)),
    opCase('concat with itself', [real([2, 2])], (b, [x]) => b.concat([x!, x!], 0)),
  ],
  reduceSum: [[0], [1], [0, 2]].map((axes) =>
    opCase(`reduceSum over ${axes}`, [real([2, 3, 2])], (b, [x]) => b.reduceSum(x!, axes)),
  ),
  maxLast: unary('maxLast', real([2, 3])),
  gatherRows: [
    opCase('gatherRows', [real([4, 2]), given('int64', [5], [3, 0, 0, 2, 3])], (b, [table, indices]) =>
      b.gatherRows(table!, indices!),
    ),
    opCase('gatherRows', [real([4, 2, 2]), given('int64', [2, 2], [1, 1, 0, 3])], (b, [table, indices]) =>
      b.gatherRows(table!, indices!),
    ),
  ],
  scatterAddRows: [
    opCase('scatterAddRows', [real([4, 2]), given('int64', [5], [3, 0, 0, 2, 3]), real([5, 2])], (b, [base, i, updates]) =>
      b.scatterAddRows(base!, i!, updates!),
    ),
    opCase('scatterAddRows', [real([3, 2]), given('int64', [2, 2], [1, 1, 1, 0]), real([2, 2, 2])], (b, [base, i, updates]) =>
      b.scatterAddRows(base!, i!, updates!),
    ),
  ],

  softmax: unary('softmax', real([2, 4], -3, 3), real([2, 2, 3], -5, 5)),
  logSumExp: unary('logSumExp', real([2, 4], -3, 3), real([3, 5], 20, 60)),
  silu: unary('silu', real([2, 3], -4, 4)),
  swiglu: binary('swiglu'),
  rmsNorm: [
    opCase('rmsNorm', [real([2, 3, 4]), positive([4])], (b, [x, weight]) => b.rmsNorm(x!, weight!, 1e-5)),
    opCase('rmsNorm with a large epsilon', [real([2, 4]), real([4])], (b, [x, weight]) => b.rmsNorm(x!, weight!, 0.5)),
  ],
  inverseRms: [
    opCase('beside rmsNorm', [real([2, 3, 4]), positive([4])], (b, [x, weight]) => b.inverseRms(b.rmsNorm(x!, weight!, 1e-5))),
  ],
  rope: [rope(false), rope(true)],
  attention: [
    attention({ heads: 4, keyValueHeads: 2, headDim: 2, scale: 0.7, batch: 2, queries: 3, keys: 3 }),
    attention({ heads: 3, keyValueHeads: 1, headDim: 4, scale: 0.5, batch: 1, queries: 2, keys: 5 }),
    attention({ heads: 2, keyValueHeads: 2, headDim: 3, scale: 0.5, batch: 1, queries: 3, keys: 3 }),
  ],
  cachedAttention: [
    cachedAttention('output', 0, 3),
    cachedAttention('output', 2, 1),
    cachedAttention('output', 1, 4),
    cachedAttention('output', 3, 1, 2),
    cachedAttention('output', 0, 5, 3),
    cachedAttention('output', 4, 2, 1),
  ],
  presentKey: [cachedAttention('key', 0, 3), cachedAttention('key', 2, 1)],
  presentValue: [cachedAttention('value', 2, 4)],
  tokensAt: [
    opCase('the last and the first of three', [real([1, 3, 4]), given('int32', [2], [2, 0])], (b, [x, indices]) =>
      b.tokensAt(x!, indices!),
    ),
  ],
};
