import { describe, expect, test } from 'vitest';
import { backward } from '../../../src/core/graph/autodiff.js';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { gradients, type Gradient } from '../../../src/core/graph/gradients.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import type { OpName, Program } from '../../../src/core/graph/types.js';
import { differentiate } from '../../support/differentiate.js';
import { evaluate } from '../../support/evaluate.js';
import { opCases, type OpCase } from '../../support/opCases.js';
import { expectClose, tensor, type Tensor } from '../../support/tensors.js';

/**
 * What must have a derivative, listed by hand: the positions of the inputs that it is taken with respect to, or why there are
 * none. What is `rounded` has a derivative that differences do not show. If taken from the table of rules, it would agree with whatever the table says.
 */
const differentiable: { readonly [K in OpName]: readonly number[] | 'none' | 'forbidden' | 'rounded' } = {
  input: 'none',
  constant: 'none',
  add: [0, 1],
  subtract: [0, 1],
  multiply: [0, 1],
  divide: [0, 1],
  negate: [0],
  log: [0],
  sqrt: [0],
  floor: 'none',
  sigmoid: [0],
  equal: 'none',
  lessOrEqual: 'none',
  where: [1, 2],
  cast: [0],
  matmul: [0, 1],
  gemm: 'forbidden',
  quantizedMatmul: 'forbidden',
  dequantize: 'forbidden',
  integerMatmul: 'rounded',
  largestLast: 'forbidden',
  roundRows: 'forbidden',
  roundShares: 'forbidden',
  integerProduct: 'forbidden',
  roundedMatmul: 'forbidden',
  reshape: [0],
  transpose: [0],
  broadcastTo: [0],
  slice: [0],
  concat: [0, 1, 2],
  reduceSum: [0],
  maxLast: 'forbidden',
  gatherRows: [0],
  scatterAddRows: [0, 2],
  softmax: [0],
  logSumExp: [0],
  silu: [0],
  swiglu: [0, 1],
  rmsNorm: [0, 1],
  inverseRms: 'forbidden',
  rope: [0],
  attention: [0, 1, 2],
  cachedAttention: 'forbidden',
  presentKey: 'forbidden',
  presentValue: 'forbidden',
  tokensAt: 'forbidden',
};
const ops = Object.keys(differentiable) as OpName[];

test.each(ops)('%s is differentiated, or not, as it must be', (op) => {
  const inputs = differentiable[op];
  expect(gradients[op].kind).toBe(inputs === 'none' || inputs === 'forbidden' ? inputs : 'rule');
});

describe.each(ops.filter((op) => typeof differentiable[op] === 'object'))(
  'the derivative of %s is the limit of differences',
  (op) => {
    const real = ({ inputs }: OpCase) =>
      (differentiable[op] as readonly number[]).map((place) => `x${place}`).filter((name) => inputs[name]?.dtype === 'float32');
    const cases = opCases[op].filter((each) => real(each).length > 0);
    test('there are cases', () => expect(cases).not.toEqual([]));
    test.each(cases)('$name', (each) => {
      const { program, wrt, values } = differentiate(each);
      expect(wrt).toEqual(real(each));
      const derivatives = evaluate(program, values);
      for (const name of wrt) {
        expectClose(derivatives.get(`d ${name}`)!.data, centralDifferences(program, values, name), 1e-7, `d ${name}`);
      }
    });
  },
);

test('the derivative of integerMatmul is that of the product without rounding, but for the rounding', () => {
  const { program, wrt, values } = differentiate(opCases.integerMatmul[0]!);
  expect(wrt).toEqual(['x0']);
  const [upstream, codes, scales] = ['upstream', 'x3', 'x4'].map((name) => values.get(name)!.data) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  // dx [2, 4] = dy [2, 3] · Wᵀ [3, 4]
  const expected = Array.from({ length: 8 }, (_, i) =>
    [0, 1, 2].reduce((sum, k) => sum + upstream[3 * (i >> 2) + k]! * codes[4 * k + (i & 3)]! * scales[i & 3]!, 0),
  );
  expectClose(evaluate(program, values).get('d x0')!.data, expected, 2e-2, 'd x0');
});

describe('operations without a derivative', () => {
  test.each(ops.filter((op) => differentiable[op] === 'forbidden'))('%s may not be differentiated, and says why', (op) => {
    const b = new GraphBuilder();
    const { inputs, build } = opCases[op][0]!;
    const operands = Object.entries(inputs).map(([name, { dtype, value }]) => b.input(name, value.shape, dtype));
    const y = build(b, operands);
    const { reason } = gradients[op] as Gradient<OpName> & { kind: 'forbidden' };
    expect(() => backward(b, new Map([[y, b.input('upstream', y.shape)]]), operands.slice(0, 2))).toThrow(reason);
  });

  test.each(['equal', 'lessOrEqual'] as const)('nothing flows through %s, but all that passes beside it', (op) => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', [3]), b.input('y', [3])];
    const loss = b.multiply(x, b.cast(b[op](x, y), 'float32')); // x where the comparison holds
    const upstream = b.constant([1, 1, 1], [3]);
    const [dx] = backward(b, new Map([[loss, upstream]]), [x]);
    const values = new Map([
      ['x', tensor([3], [1, 2, 5])],
      ['y', tensor([3], [1, 3, 4])],
    ]);
    const { data } = evaluate(makeProgram('dx', { dx: dx! }), values).get('dx')!;
    expect([...data]).toEqual(op === 'equal' ? [1, 0, 0] : [1, 1, 0]);
    expect(() => backward(b, new Map([[loss, upstream]]), [y])).toThrow('internal: the result does not depend on input %1 [3]');
  });
});

describe('the walk from the results back', () => {
  test('adds up what comes on several ways and from several results', () => {
    const b = new GraphBuilder();
    const x = b.input('x', [1]);
    const square = b.multiply(x, x);
    const [dx] = backward(
      b,
      new Map([
        [b.multiply(square, x), b.constant([1], [1])],
        [square, b.constant([10], [1])],
      ]),
      [x],
    );
    const { data } = evaluate(makeProgram('dx', { dx: dx! }), new Map([['x', tensor([1], [3])]])).get('dx')!;
    expect(data[0]).toBe(3 * 3 ** 2 + 10 * 2 * 3);
  });

  test('gives derivatives in the order asked for, shaped like what they belong to', () => {
    const b = new GraphBuilder();
    const [x, y] = [b.input('x', [2]), b.input('y', [1])];
    const derivatives = backward(b, new Map([[b.multiply(x, y), b.input('upstream', [2])]]), [y, x]);
    expect(derivatives.map(({ shape }) => shape)).toEqual([[1], [2]]);
  });
});

function centralDifferences(program: Program, values: ReadonlyMap<string, Tensor>, name: string): Float64Array {
  const { shape, data } = values.get(name)!;
  const forward = makeProgram('forward', { y: program.outputs.get('y')! });
  const loss = (index: number, moved: number): number => {
    const changed = { shape, data: data.with(index, moved) };
    const y = evaluate(forward, new Map([...values, [name, changed]])).get('y')!;
    return y.data.reduce((sum, number, i) => sum + number * values.get('upstream')!.data[i]!, 0);
  };
  return data.map((center, i) => (loss(i, center + 1e-5) - loss(i, center - 1e-5)) / 2e-5);
}
