import type { GraphBuilder } from './builder.js';
import type { Value } from './types.js';

/** Rows after which the offsets repeat, where that comes out even: few enough to stay in a cache. */
const period = 64;

/**
 * x [rows, columns] with offsets between −step / 2 and step / 2, so that rounding to multiples of `step` keeps sums over rows and over
 * columns: a number between two multiples is rounded up as often as it is close to the upper one. This is stochastic rounding
 * (https://arxiv.org/abs/1502.02551) with an evenly spread sequence instead of chance, the R2 sequence of
 * https://extremelearning.com.au/unreasonable-effectiveness-of-quasirandom-sequences, whose sums deviate less.
 */
export function dithered(b: GraphBuilder, x: Value, step: number): Value {
  const [rows, columns] = x.shape as [number, number];
  const height = rows % period === 0 ? period : rows;
  const sum = b.add(fractions(b, height, alpha, [height, 1]), fractions(b, columns, alpha ** 2, [1, columns])); // [height, columns]
  const offsets = b.scale(b.subtract(b.subtract(sum, b.floor(sum)), b.scalar(0.5)), step);
  const stacked = b.reshape(x, [rows / height, height, columns]);
  return b.reshape(b.add(stacked, b.reshape(offsets, [1, height, columns])), [rows, columns]);
}

/** 1 / the real root of x³ = x + 1. */
const alpha = 0.7548776662466927;

function fractions(b: GraphBuilder, count: number, factor: number, shape: readonly number[]): Value {
  return b.constant(
    Array.from({ length: count }, (_, i) => (i * factor) % 1),
    shape,
  );
}
