/** @file Tensors for tests: random ones, and comparisons that report where two differ. */
import { Random } from '../../src/core/random.js';
import { elementCount, type Shape } from '../../src/core/shape.js';

/** Row-major. Integers and booleans are stored as numbers too. */
export interface Tensor {
  readonly shape: Shape;
  readonly data: Float64Array;
}

export function tensor(shape: Shape, data: ArrayLike<number>): Tensor {
  if (data.length !== elementCount(shape)) throw new Error(`${data.length} numbers for [${shape}]`);
  return { shape, data: Float64Array.from(data) };
}

/** Uniform between `from` and `to`, and exact in fp32, so that fp32 computations start from the same numbers. */
export function randomTensor(shape: Shape, random: Random, from = -1, to = 1): Tensor {
  return {
    shape,
    data: Float64Array.from({ length: elementCount(shape) }, () => Math.fround(from + (to - from) * random.uniform())),
  };
}

/** Throws, naming the worst index and both numbers, unless all differ by at most tolerance · the largest expected number. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void {
  if (actual.length !== expected.length) throw new Error(`${what}: ${actual.length} numbers, expected ${expected.length}`);
  const largest = largestMagnitude(expected) || 1;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    if (!(difference(actual, expected, i) <= difference(actual, expected, worst))) worst = i;
    if (Number.isNaN(actual[i])) break;
  }
  if (expected.length === 0 || difference(actual, expected, worst) <= tolerance * largest) return;
  const share = (difference(actual, expected, worst) / largest).toExponential(1);
  throw new Error(
    `${what}[${worst}] is ${actual[worst]}, expected ${expected[worst]}: ${share} of the largest, allowed ${tolerance}`,
  );
}

/** The largest difference, relative to the largest expected number. */
export function relativeDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < expected.length; i++) largest = Math.max(largest, difference(actual, expected, i));
  return largest / largestMagnitude(expected);
}

function largestMagnitude(values: ArrayLike<number>): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) largest = Math.max(largest, Math.abs(values[i]!));
  return largest;
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>, index: number): number {
  return Math.abs(a[index]! - b[index]!);
}
