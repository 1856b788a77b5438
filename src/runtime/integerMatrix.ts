/** @file Rounds fp32 matrices for products in integers (`integerMatmul` in core/graph/types.ts). */
import type { IntegerForm } from '../core/models/frozenMatrix.js';

/** The largest code of each form. */
export const integerLimit: Readonly<Record<IntegerForm, number>> = { I8: 127, I7: 63 };

export interface Rounding {
  /** The largest code. */
  readonly limit: number;
  /** [columns]: what the codes, but not the reverse codes, are divided by. */
  readonly smoothing: Float32Array;
}

/** codes [columns, rows], scales [rows], reverseCodes [rows, columns] and reverseScales [columns]: the order of matrixParts. */
export type IntegerMatrix = readonly [
  codes: Int8Array,
  scales: Float32Array,
  reverseCodes: Int8Array,
  reverseScales: Float32Array,
];

/** Rows that are written side by side. */
const tile = 64;

/**
 * Rounds some rows, each with its own scale, and writes them as columns of `codes`. Also finds the scales of the columns, which
 * are complete after the last rows.
 */
export function roundRowsTransposed(
  values: Float32Array,
  firstRow: number,
  { limit, smoothing }: Rounding,
  matrix: IntegerMatrix,
): void {
  const [codes, scales, , reverseScales] = matrix;
  const [rowCount, columns] = [scales.length, reverseScales.length];
  const rows = values.length / columns;
  const stretch = smoothing.map((factor) => 1 / factor);
  const loudest = reverseScales.map((scale) => scale * limit);
  const rounded = new Int8Array(tile * columns);
  for (let start = 0; start < rows; start += tile) {
    const end = Math.min(rows, start + tile);
    for (let row = start; row < end; row++) {
      const from = values.subarray(row * columns, (row + 1) * columns);
      let largest = 0;
      for (let column = 0; column < columns; column++) {
        const magnitude = Math.abs(from[column]!);
        const stretched = magnitude * stretch[column]!;
        if (stretched > largest) largest = stretched;
        if (magnitude > loudest[column]!) loudest[column] = magnitude;
      }
      scales[firstRow + row] = largest / limit;
      const inverse = largest === 0 ? 0 : limit / largest;
      const into = rounded.subarray((row - start) * columns, (row - start + 1) * columns);
      for (let column = 0; column < columns; column++) into[column] = nearest(from[column]! * stretch[column]! * inverse);
    }
    for (let column = 0; column < columns; column++) {
      const into = column * rowCount + firstRow;
      for (let row = start, at = column; row < end; row++, at += columns) codes[into + row] = rounded[at]!;
    }
  }
  reverseScales.forEach((_, column) => (reverseScales[column] = loudest[column]! / limit));
}

/** Rounds some rows into `reverseCodes`, with the scales of the columns. */
export function roundColumns(values: Float32Array, firstRow: number, matrix: IntegerMatrix): void {
  const [, , reverseCodes, reverseScales] = matrix;
  const columns = reverseScales.length;
  const inverse = Float64Array.from(reverseScales, (scale) => (scale === 0 ? 0 : 1 / scale));
  const into = reverseCodes.subarray(firstRow * columns);
  for (let at = 0, column = 0; at < values.length; at++) {
    into[at] = nearest(values[at]! * inverse[column]!);
    if (++column === columns) column = 0;
  }
}

/** Many times as fast as Math.round. */
function nearest(value: number): number {
  return (value < 0 ? value - 0.5 : value + 0.5) | 0;
}
