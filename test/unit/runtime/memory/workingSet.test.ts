import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../../src/core/graph/builder.js';
import { makeProgram } from '../../../../src/core/graph/program.js';
import type { Program } from '../../../../src/core/graph/types.js';
import { workingSetBytes as workingSetOf } from '../../../../src/runtime/memory/workingSet.js';

// In these tests, a matrix has 1000 elements: 4000 bytes.
const matrix = [10, 100];
const bytes = 4000;
const workingSetBytes = (program: Program) => workingSetOf(program, 'cpu');

test('a value is held from its making to its last use; inputs and outputs are the caller’s', () => {
  const b = new GraphBuilder();
  const x = b.input('x', matrix);
  expect(workingSetBytes(makeProgram('one', { y: b.negate(x) }))).toBe(0);
  expect(workingSetBytes(makeProgram('two', { y: b.negate(b.negate(x)) }))).toBe(bytes);
  // A chain of any length holds one value and the one made from it.
  expect(workingSetBytes(makeProgram('chain', { y: b.negate(b.negate(b.negate(b.negate(b.negate(x))))) }))).toBe(2 * bytes);
  // The first value is needed again at the end.
  const first = b.negate(x);
  expect(workingSetBytes(makeProgram('kept', { y: b.add(b.negate(b.negate(b.negate(first))), first) }))).toBe(3 * bytes);
});

test('a reshaped value takes nothing; sigmoid and softmax write over their operand unless something else reads it', () => {
  const b = new GraphBuilder();
  const made = b.negate(b.input('x', matrix));
  expect(workingSetBytes(makeProgram('view', { y: b.negate(b.reshape(made, [1000])) }))).toBe(bytes);
  expect(workingSetBytes(makeProgram('over', { y: b.negate(b.softmax(made)) }))).toBe(bytes);
  expect(workingSetBytes(makeProgram('beside', { y: b.multiply(b.softmax(made), made) }))).toBe(2 * bytes);
});

test('memory given back is taken again for the same shape alone, and held until then', () => {
  const b = new GraphBuilder();
  const total = b.reduceSum(b.negate(b.input('x', matrix)), [0, 1]); // [1, 1]
  const others = b.multiply(b.input('z', [50, 20]), total);
  const otherTotal = b.reduceSum(b.negate(b.negate(others)), [0, 1]);
  const end = (shape: number[]) => makeProgram('end', { y: b.reduceSum(b.negate(b.broadcastTo(otherTotal, shape)), [0, 1]) });
  // The memory of −x waits for the last matrix of its shape, while two others are in use.
  expect(workingSetBytes(end(matrix)) / bytes).toBeCloseTo(3, 1);
  expect(workingSetBytes(end([100, 10])) / bytes).toBeCloseTo(2, 1);
});

test('on a GPU buffers are rounded up, transposed operands are tensors, and what is freed waits for the next hand-over', () => {
  const b = new GraphBuilder();
  const x = b.input('x', matrix);
  const buffer = 4096;
  expect(workingSetOf(makeProgram('two', { y: b.negate(b.negate(x)) }), 'webgpu')).toBe(buffer);
  expect(workingSetOf(makeProgram('transposed', { y: b.matmul(x, b.input('w', matrix), { transposeB: true }) }), 'webgpu')).toBe(
    buffer,
  );
  // −x is no longer needed when the last sums are made, but nothing has been handed over since.
  const row = b.reduceSum(b.negate(x), [0]); // [1, 100]
  const last = b.negate(b.broadcastTo(row, [20, 100]));
  expect(workingSetOf(makeProgram('freed', { y: last }), 'webgpu')).toBe(buffer + 512 + 8192);
});
