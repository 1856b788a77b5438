import { expect, test } from 'vitest';
import { GraphBuilder } from '../../../src/core/graph/builder.js';
import { dithered } from '../../../src/core/graph/dither.js';
import { makeProgram } from '../../../src/core/graph/program.js';
import { Random } from '../../../src/core/random.js';
import { evaluate } from '../../support/evaluate.js';
import { tensor, type Tensor } from '../../support/tensors.js';

/** 128 rows of probabilities over 600 words: one likely word each, and a tail of which no word reaches half a code. */
const [rows, columns] = [128, 600];
const shares = probabilities(new Random(3));

test('small shares survive rounding: those of a row, and of a column, keep their sum', () => {
  const rounded = roundedTo255(shares, true);
  const nearest = roundedTo255(shares, false);
  const tail = (codes: ArrayLike<number>, row: number): number =>
    sumOf(columns - 1, (column) => codes[row * columns + column + 1]! / 255);
  for (let row = 0; row < rows; row++) {
    expect(tail(nearest, row)).toBe(0);
    expect(tail(rounded, row)).toBeCloseTo(0.3, 1);
  }
  expect(sumOf(rows, (row) => tail(rounded, row)) / rows).toBeCloseTo(0.3, 2);
  // A word's codes over all rows, whose number would deviate by √(Σ p (1 − p)) if chance decided.
  const deviations = Array.from({ length: columns - 1 }, (_, column) => {
    const of = (codes: ArrayLike<number>, factor: number): number =>
      sumOf(rows, (row) => factor * codes[row * columns + column + 1]!);
    return of(rounded, 1) - of(shares.data, 255);
  });
  const byChance = (255 * 0.3 * rows) / columns;
  expect(sumOf(columns - 1, (column) => deviations[column]! ** 2) / columns).toBeLessThan(0.7 * byChance);
});

test('no number moves by more than one code, and neither 0 nor 1 moves', () => {
  const rounded = roundedTo255(shares, true);
  const moves = [...rounded].map((code, i) => Math.abs(code - 255 * shares.data[i]!));
  expect(moves.reduce((a, b) => Math.max(a, b))).toBeLessThan(1);
  const ends = tensor([3, 2], [0, 1, 1, 0, 0, 1]);
  expect([...roundedTo255(ends, true)]).toEqual([0, 255, 255, 0, 0, 255]);
});

function roundedTo255(x: Tensor, withDither: boolean): ArrayLike<number> & Iterable<number> {
  const b = new GraphBuilder();
  const input = b.input('x', x.shape);
  const codes = b.roundShares(withDither ? dithered(b, input, 1 / 255) : input);
  return evaluate(makeProgram('round', { codes }), new Map([['x', x]])).get('codes')!.data;
}

function probabilities(random: Random): Tensor {
  const data = Array.from({ length: rows }, () => {
    const tail = Array.from({ length: columns - 1 }, () => 0.5 + random.uniform());
    const total = tail.reduce((a, b) => a + b, 0);
    return [0.7, ...tail.map((weight) => (0.3 * weight) / total)];
  });
  return tensor([rows, columns], data.flat());
}

function sumOf(count: number, term: (index: number) => number): number {
  return Array.from({ length: count }, (_, index) => term(index)).reduce((a, b) => a + b, 0);
}
