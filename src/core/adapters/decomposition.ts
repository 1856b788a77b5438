/** @file Two decompositions of small sets of long vectors, in double precision. */

/** vectors[k] = Σ_j coefficients[j][k] · basis[j]. */
export interface Orthonormalized {
  /** Orthonormal, except that vectors that depend on earlier ones leave zeros in their place. */
  readonly basis: readonly Float64Array[];
  /** Upper triangular. */
  readonly coefficients: readonly Float64Array[];
}

/**
 * Thin QR by Gram–Schmidt. Subtracting the projections twice makes the basis orthogonal to working precision
 * (https://doi.org/10.1007/s00211-005-0615-4).
 */
export function orthonormalize(vectors: readonly Float64Array[]): Orthonormalized {
  const coefficients = vectors.map(() => new Float64Array(vectors.length));
  const basis: Float64Array[] = [];
  for (const [k, vector] of vectors.entries()) {
    const rest = vector.slice();
    const length = norm(vector);
    for (let pass = 0; pass < 2; pass++) {
      for (const [j, direction] of basis.entries()) {
        const share = dot(direction, rest);
        coefficients[j]![k]! += share;
        addScaled(rest, -share, direction);
      }
    }
    const left = norm(rest);
    const isIndependent = left > negligible * length;
    if (isIndependent) coefficients[k]![k] = left;
    scale(rest, isIndependent ? 1 / left : 0);
    basis.push(rest);
  }
  return { basis, coefficients };
}

/** M = Σ_k values[k] · left[k] · right[k]ᵀ, largest value first. */
export interface SingularTriplets {
  readonly left: readonly Float64Array[];
  readonly values: readonly number[];
  readonly right: readonly Float64Array[];
}

/**
 * The singular value decomposition of a small matrix, given by its columns. One-sided Jacobi: pairs of columns are rotated until
 * all are orthogonal, which finds small values with full relative precision (https://doi.org/10.1137/0613074).
 */
export function singularTriplets(columns: readonly Float64Array[]): SingularTriplets {
  const rotated = columns.map((column) => column.slice());
  const right = columns.map((_, index) => unit(columns.length, index));
  for (let sweep = 0; sweep < maxSweeps && rotateOnce(rotated, right); sweep++);
  const values = rotated.map(norm);
  const order = [...values.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
  return {
    left: order.map((k) => scale(rotated[k]!, values[k]! === 0 ? 0 : 1 / values[k]!)),
    values: order.map((k) => values[k]!),
    right: order.map((k) => right[k]!),
  };
}

const negligible = 1e-14;
/** About ten are needed. */
const maxSweeps = 60;

/** Rotates every pair of columns that is not orthogonal. Returns whether there was one. */
function rotateOnce(columns: readonly Float64Array[], right: readonly Float64Array[]): boolean {
  let hasRotated = false;
  for (let p = 0; p < columns.length - 1; p++) {
    for (let q = p + 1; q < columns.length; q++) {
      const [a, b] = [columns[p]!, columns[q]!];
      const [alpha, beta, gamma] = [dot(a, a), dot(b, b), dot(a, b)];
      if (Math.abs(gamma) <= negligible * Math.sqrt(alpha * beta)) continue;
      hasRotated = true;
      const zeta = (beta - alpha) / (2 * gamma);
      const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
      const cosine = 1 / Math.sqrt(1 + tangent * tangent);
      rotate(a, b, cosine, cosine * tangent);
      rotate(right[p]!, right[q]!, cosine, cosine * tangent);
    }
  }
  return hasRotated;
}

function rotate(a: Float64Array, b: Float64Array, cosine: number, sine: number): void {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [a[i]!, b[i]!];
    a[i] = cosine * x - sine * y;
    b[i] = sine * x + cosine * y;
  }
}

/** Four sums, because each addition waits for the one before it: that makes it nearly twice as fast. */
export function dot(a: Float64Array, b: Float64Array): number {
  let [sum0, sum1, sum2, sum3] = [0, 0, 0, 0];
  const whole = a.length & ~3;
  for (let i = 0; i < whole; i += 4) {
    sum0 += a[i]! * b[i]!;
    sum1 += a[i + 1]! * b[i + 1]!;
    sum2 += a[i + 2]! * b[i + 2]!;
    sum3 += a[i + 3]! * b[i + 3]!;
  }
  for (let i = whole; i < a.length; i++) sum0 += a[i]! * b[i]!;
  return sum0 + sum1 + (sum2 + sum3);
}

/** to += factor · vector */
export function addScaled(to: Float64Array, factor: number, vector: Float64Array): void {
  for (let i = 0; i < to.length; i++) to[i]! += factor * vector[i]!;
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

function scale(vector: Float64Array, factor: number): Float64Array {
  for (let i = 0; i < vector.length; i++) vector[i]! *= factor;
  return vector;
}

function unit(length: number, index: number): Float64Array {
  const vector = new Float64Array(length);
  vector[index] = 1;
  return vector;
}
