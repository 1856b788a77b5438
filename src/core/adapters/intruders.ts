/**
 * @file Intruder dimensions (https://arxiv.org/abs/2410.21228): leading left singular vectors of W + ΔW that resemble none of W's.
 * Few of them are a sign that the adapter works with what the base already had; many go along with forgetting.
 */
import { dot } from './decomposition.js';
import { leadingDirections } from './leadingDirections.js';
import { eigenCoordinates } from './symmetricEigen.js';

export interface TunedDirection {
  /** The singular value of W + ΔW. */
  readonly value: number;
  /** The largest absolute cosine between its left singular vector and any left singular vector of W. */
  readonly cosine: number;
}

/** A direction whose cosine is below this is an intruder, and this many are looked at, as in PEFT's reduce_intruder_dimension. */
export const intruderCosine = 0.5;
export const directionsLookedAt = 10;

/**
 * The leading directions of `tuned` = W + ΔW, against all of those of `base` = W; both [rows, columns], row-major. The former are
 * found iteratively (leadingDirections); the latter come from the smaller of W·Wᵀ and Wᵀ·W, all of them, in double precision. Where
 * singular values of W coincide, its vectors are not unique, and so is the cosine. `afterPart` is awaited often; throw to cancel.
 */
export async function tunedDirections(
  base: Float32Array,
  tuned: Float32Array,
  columns: number,
  count: number,
  afterPart: () => Promise<void>,
): Promise<readonly TunedDirection[]> {
  const rows = base.length / columns;
  const right = await leadingDirections(tuned, columns, Math.min(count, rows, columns), afterPart);
  const images = right.map((direction) => times(tuned, direction));
  const values = images.map((image) => Math.sqrt(dot(image, image)));
  const left = images.map((image, k) => image.map((x) => (values[k]! === 0 ? 0 : x / values[k]!)));
  const isWide = rows <= columns;
  // The left singular vector of W for the eigenvector q of WᵀW is W·q / σ, so its product with `left` is q·(Wᵀ·left) / σ.
  const vectors = isWide ? left : left.map((direction) => transposedTimes(base, direction, columns));
  const gram = await (isWide ? rowProducts : columnProducts)(base, columns, afterPart);
  const { values: squares, coordinates } = await eigenCoordinates(gram, vectors, afterPart);
  const largest = squares.reduce((max, square) => Math.max(max, square), 0);
  const lengths = squares.map((square) => (isWide ? 1 : square > negligible * largest ? Math.sqrt(square) : Infinity));
  return coordinates.map((own, k) => ({
    value: values[k]!,
    cosine: own.reduce((max, coordinate, i) => Math.max(max, Math.abs(coordinate) / lengths[i]!), 0),
  }));
}

/** A squared singular value below this share of the largest is rounding, and its vector is no direction of W. */
const negligible = 1e-13;

/** M·x */
function times(matrix: Float32Array, x: Float64Array): Float64Array {
  const product = new Float64Array(matrix.length / x.length);
  for (let row = 0, at = 0; row < product.length; row++) {
    let sum = 0;
    for (let i = 0; i < x.length; i++, at++) sum += matrix[at]! * x[i]!;
    product[row] = sum;
  }
  return product;
}

/** Mᵀ·y */
function transposedTimes(matrix: Float32Array, y: Float64Array, columns: number): Float64Array {
  const product = new Float64Array(columns);
  for (let row = 0, at = 0; row < y.length; row++) for (let i = 0; i < columns; i++, at++) product[i]! += matrix[at]! * y[row]!;
  return product;
}

type Gram = (matrix: Float32Array, columns: number, afterPart: () => Promise<void>) => Promise<Float64Array>;

/** The lower triangle of M·Mᵀ. */
const rowProducts: Gram = async (matrix, columns, afterPart) => {
  const rows = matrix.length / columns;
  const gram = new Float64Array(rows * rows);
  const row = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    row.set(matrix.subarray(i * columns, (i + 1) * columns));
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, at = j * columns; k < columns; k++, at++) sum += row[k]! * matrix[at]!;
      gram[i * rows + j] = sum;
    }
    await afterPart();
  }
  return gram;
};

/** The lower triangle of Mᵀ·M. */
const columnProducts: Gram = async (matrix, columns, afterPart) => {
  const gram = new Float64Array(columns * columns);
  for (let start = 0; start < matrix.length; start += columns) {
    const row = Float64Array.from(matrix.subarray(start, start + columns));
    for (let i = 0; i < columns; i++) {
      const x = row[i]!;
      for (let j = 0, at = i * columns; j <= i; j++, at++) gram[at]! += x * row[j]!;
    }
    await afterPart();
  }
  return gram;
};
