import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { optimize } from '../../../src/core/graph/fuse.js';
import { makeProgram, valuesOf } from '../../../src/core/graph/program.js';
import type { OpName, Program, Value } from '../../../src/core/graph/types.js';
import { Random } from '../../../src/core/random.js';
import { sameShape } from '../../../src/core/shape.js';
import { evaluate } from '../../support/evaluate.js';
import { printProgram } from '../../support/printProgram.js';
import { expectClose, randomTensor, tensor, type Tensor } from '../../support/tensors.js';

/** A way to grow a graph; undefined if the operands do not fit. */
type Growth = (b: GraphBuilder, x: Value, y: Value) => Value | undefined;

const multiplies = (x: Value, y: Value): boolean => x.shape.length === 2 && y.shape.length === 2 && x.shape[1] === y.shape[0];

const broadcasts = (x: Value, y: Value): boolean =>
  x.shape.length >= y.shape.length && y.shape.every((length, i) => length === 1 || length === x.shape.at(i - y.shape.length));

const growths: readonly Growth[] = [
  (b, x, y) => (broadcasts(x, y) ? b.add(x, y) : undefined),
  (b, x, y) => (broadcasts(x, y) ? b.multiply(x, y) : undefined),
  (b, x) => b.scale(x, 0.5),
  (b, x, y) => (multiplies(x, y) ? b.matmul(x, y) : undefined),
  (b, x, y) => (multiplies(x, y) && broadcasts(x, y) ? b.add(x, b.matmul(x, y, { alpha: -2 })) : undefined),
  (b, x, y) =>
    x.shape.length === 2 && y.shape.length === 2 && x.shape[0] === y.shape[0] ? b.matmul(x, y, { transposeA: true }) : undefined,
  (b, x, y) =>
    x.shape.length === 2 && y.shape.length === 2 && x.shape[1] === y.shape[1]
      ? b.matmul(x, y, { transposeB: true, alpha: 0.3 })
      : undefined,
  // Rows scattered onto zeros, as in the derivative of a gather.
  (b, x) =>
    x.shape.join() === '3,3'
      ? b.scatterAddRows(b.broadcastTo(b.scalar(0), [3, 3]), b.constant([2, 0, 2], [3], 'int64'), x)
      : undefined,
  (b, x, y) => (sameShape(x.shape, y.shape) ? b.swiglu(x, y) : undefined),
  (b, x) => b.sigmoid(x),
  (b, x) => (x.shape.length === 2 ? b.logSumExp(x) : undefined),
  (b, x) => (x.shape.length === 2 ? b.sumLast(x) : undefined),
];

const programs = fc
  .noBias(fc.array(fc.tuple(fc.nat(growths.length - 1), fc.nat(7), fc.nat(7)), { minLength: 8, maxLength: 24 }))
  .map(grow);

const values = new Map<string, Tensor>(
  [[], [1, 3], [3, 2], [3, 1], [3, 3], [3, 3]].map((shape, i) => [`x${i}`, randomTensor(shape, new Random(i))]),
);

test('optimizing keeps what a program computes', () => {
  const made = new Map<OpName, number>();
  fc.assert(
    fc.property(programs, (program) => {
      const optimized = optimize(program);
      const expected = evaluate(program, values);
      for (const [name, { data }] of evaluate(optimized, values)) {
        expectClose(data, expected.get(name)!.data, 1e-9, `${printProgram(program)}\n${printProgram(optimized)}\n${name}`);
      }
      valuesOf(optimized).forEach(({ op }) => made.set(op, (made.get(op) ?? 0) + 1));
      expect(opsOf(optimized)).not.toContain('swiglu');
    }),
    { numRuns: 400 },
  );
  expect(made.get('gemm'), 'sums were fused').toBeGreaterThan(100);
});

test('a sum with a product is one gemm, a factor is part of the product, a column passes over the narrower matrix', () => {
  const b = new GraphBuilder();
  const [x, w, bias, column] = [b.input('x', [8, 16]), b.input('w', [2, 16]), b.input('bias', [2]), b.input('column', [8, 1])];
  const product = b.matmul(b.multiply(x, column), w, { transposeB: true });
  expect(opsOf(optimize(makeProgram('scaled', { y: b.scale(product, 0.25) })))).toEqual([
    'input',
    'input',
    'matmul',
    'input',
    'multiply',
    'constant',
    'multiply',
  ]);
  const sum = b.add(bias, b.scale(b.matmul(x, w, { transposeB: true }), 0.25));
  const fused = optimize(makeProgram('sum', { y: sum }));
  expect(opsOf(fused).filter((op) => op !== 'input')).toEqual(['gemm']);
  expect(fused.outputs.get('y')!.attributes).toEqual({ transposeA: false, transposeB: true, alpha: 0.25 });
});

test('rows scattered onto zeros are scattered onto what they are added to', () => {
  const b = new GraphBuilder();
  const scattered = b.scatterAddRows(b.broadcastTo(b.scalar(0), [3, 2]), b.constant([1], [1], 'int64'), b.input('rows', [1, 2]));
  const whole = optimize(makeProgram('sum', { y: b.add(b.input('base', [3, 2]), scattered) }));
  expect(opsOf(whole)).toEqual(['input', 'constant', 'input', 'scatterAddRows']);
  // A row that the sum broadcasts cannot be the base to scatter onto.
  const row = optimize(makeProgram('sum', { y: b.add(b.input('row', [1, 2]), scattered) }));
  const given = new Map([
    ['row', tensor([1, 2], [5, 6])],
    ['rows', tensor([1, 2], [1, 2])],
  ]);
  expect([...evaluate(row, given).get('y')!.data]).toEqual([5, 6, 6, 8, 5, 6]);
});

test('silu takes its sigmoid from where that is computed anyway, and stays one operation elsewhere', () => {
  const b = new GraphBuilder();
  const x = b.input('x', [2]);
  const shared = optimize(makeProgram('shared', { s: b.sigmoid(x), y: b.silu(x) }));
  expect(opsOf(shared)).toEqual(['input', 'sigmoid', 'multiply']);
  expect(opsOf(optimize(makeProgram('alone', { y: b.silu(x) })))).toEqual(['input', 'silu']);
});

function grow(steps: readonly (readonly [number, number, number])[]): Program {
  const b = new GraphBuilder();
  const pool = [...values].map(([name, { shape }]) => b.input(name, shape));
  for (const [growth, first, second] of steps) {
    // The latest values are the likeliest operands; otherwise no graph would become deep.
    const [x, y] = [pool.at(-1 - Math.min(first, pool.length - 1))!, pool.at(-1 - Math.min(second, pool.length - 1))!];
    const grown = growths[growth]!(b, x, y);
    if (grown) pool.push(grown);
  }
  const used = new Set(pool.flatMap((value) => value.inputs));
  const ends = pool.filter((value) => !used.has(value));
  return makeProgram('grown', Object.fromEntries(ends.map((value) => [`y${value.id}`, value])));
}

function opsOf(program: Program): OpName[] {
  return valuesOf(program).map(({ op }) => op);
}
