/** @file The directions in which a large matrix stretches most. */
import { Random } from '../random.js';
import { addScaled, dot, orthonormalize, singularTriplets } from './decomposition.js';

/** Directions beyond those wanted, which make the wanted ones converge faster. */
const spare = 8;
/** Applications of MᵀM between two restarts. */
const depth = 4;
/** As a share of the largest eigenvalue of MᵀM. */
const tolerance = 1e-10;
const maxRestarts = 200;

/**
 * The first `count` right singular vectors of M [rows, columns], orthonormal. Restarted block Krylov iteration on MᵀM in double
 * precision (https://arxiv.org/abs/1504.05477). `afterPass` is awaited after every pass over the matrix; it may throw to cancel.
 */
export async function leadingDirections(
  matrix: Float32Array,
  columns: number,
  count: number,
  afterPass: () => Promise<void>,
): Promise<readonly Float64Array[]> {
  let block = randomBlock(Math.min(count + spare, columns), columns);
  for (let restart = 0; ; restart++) {
    const ritz = ritzPairs(await krylovSpace(matrix, block, afterPass));
    const best = ritz.slice(0, block.length);
    const isDone = best.slice(0, count).every(({ residual }) => residual <= tolerance * best[0]!.value);
    if (isDone || restart === maxRestarts) return best.slice(0, count).map(({ vector }) => vector);
    block = best.map(({ vector }) => vector);
  }
}

function randomBlock(size: number, length: number): readonly Float64Array[] {
  const random = new Random(1);
  const vectors = Array.from({ length: size }, () => Float64Array.from({ length }, () => random.uniform() - 0.5));
  return orthonormalize(vectors).basis;
}

/** An orthonormal basis, and what MᵀM makes of its vectors. */
interface Space {
  readonly basis: Float64Array[];
  readonly images: Float64Array[];
}

async function krylovSpace(matrix: Float32Array, start: readonly Float64Array[], afterPass: () => Promise<void>): Promise<Space> {
  const space: Space = { basis: [], images: [] };
  let block = start;
  for (let pass = 0; pass < depth && block.length > 0; pass++) {
    const images = timesGram(matrix, block);
    await afterPass();
    space.basis.push(...block);
    space.images.push(...images);
    const { basis } = orthonormalize([...space.basis, ...images]);
    block = basis.slice(space.basis.length).filter((vector) => vector.some((value) => value !== 0));
  }
  return space;
}

/** MᵀM·x for every x, reading the matrix once. */
function timesGram(matrix: Float32Array, vectors: readonly Float64Array[]): Float64Array[] {
  const columns = vectors[0]!.length;
  const images = vectors.map(() => new Float64Array(columns));
  const row = new Float64Array(columns);
  for (let start = 0; start < matrix.length; start += columns) {
    row.set(matrix.subarray(start, start + columns));
    for (const [k, vector] of vectors.entries()) addScaled(images[k]!, dot(row, vector), row);
  }
  return images;
}

interface RitzPair {
  readonly value: number;
  readonly vector: Float64Array;
  /** ‖MᵀM·vector − value·vector‖ */
  readonly residual: number;
}

/** The best approximations of eigenvectors that the space contains, largest value first. */
function ritzPairs({ basis, images }: Space): RitzPair[] {
  // Symmetric and without negative eigenvalues, so its singular vectors are its eigenvectors.
  const projected = images.map((image) => Float64Array.from(basis, (vector) => dot(vector, image)));
  const { values, right } = singularTriplets(projected);
  return values.map((value, k) => {
    const vector = combination(basis, right[k]!);
    const rest = combination(images, right[k]!);
    addScaled(rest, -value, vector);
    return { value, vector, residual: Math.sqrt(dot(rest, rest)) };
  });
}

function combination(vectors: readonly Float64Array[], shares: Float64Array): Float64Array {
  const sum = new Float64Array(vectors[0]!.length);
  for (const [j, vector] of vectors.entries()) addScaled(sum, shares[j]!, vector);
  return sum;
}
