/** @file The coordinates of a few vectors in the eigenbasis of a symmetric matrix, without computing the eigenvectors. */

export interface EigenCoordinates {
  /** In no particular order. */
  readonly values: Float64Array;
  /** coordinates[k][i]: the dot product of vectors[k] and the eigenvector of values[i], up to its sign. */
  readonly coordinates: readonly Float64Array[];
}

/**
 * Householder reduction to tridiagonal form, then QL with implicit shifts (Golub and Van Loan, Matrix Computations, chapter 8), in
 * double precision. Both are applied to the vectors instead of collected: 4/3·n³ operations instead of some 9·n³, and no second
 * matrix. `matrix` [n, n], row-major, of which only the lower triangle is read, is destroyed. `afterColumn` is awaited n times.
 */
export async function eigenCoordinates(
  matrix: Float64Array,
  vectors: readonly Float64Array[],
  afterColumn: () => Promise<void>,
): Promise<EigenCoordinates> {
  const coordinates = vectors.map((vector) => vector.slice());
  const { diagonal, offDiagonal } = await tridiagonalize(matrix, coordinates, afterColumn);
  diagonalize(diagonal, offDiagonal, coordinates);
  return { values: diagonal, coordinates };
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** offDiagonal[i] stands between i and i + 1; the last is 0. */
  readonly offDiagonal: Float64Array;
}

/** T = QᵀAQ, with every vector replaced by Qᵀ·vector. */
async function tridiagonalize(
  a: Float64Array,
  vectors: readonly Float64Array[],
  afterColumn: () => Promise<void>,
): Promise<Tridiagonal> {
  const n = Math.sqrt(a.length);
  const [diagonal, offDiagonal] = [new Float64Array(n), new Float64Array(n)];
  const [v, w] = [new Float64Array(n), new Float64Array(n)];
  for (let k = 0; k < n; k++) {
    diagonal[k] = a[k * n + k]!;
    const first = k + 1;
    const scale = first < n ? reflector(a, n, k, v) : null;
    if (scale !== null) {
      offDiagonal[k] = scale.image;
      if (scale.beta > 0) {
        multiplyLower(a, n, first, v, w);
        const half = (scale.beta * scale.beta * dotFrom(first, v, w)) / 2;
        for (let i = first; i < n; i++) w[i] = scale.beta * w[i]! - half * v[i]!;
        subtractPairs(a, n, first, v, w);
        for (const vector of vectors) addFrom(first, vector, -scale.beta * dotFrom(first, v, vector), v);
      }
    }
    await afterColumn();
  }
  return { diagonal, offDiagonal };
}

/** v such that I − beta·v·vᵀ maps column k below the diagonal to (image, 0, 0, …). */
function reflector(a: Float64Array, n: number, k: number, v: Float64Array): { readonly image: number; readonly beta: number } {
  const first = k + 1;
  let rest = 0;
  for (let i = first; i < n; i++) {
    v[i] = a[i * n + k]!;
    if (i > first) rest += v[i]! * v[i]!;
  }
  const head = v[first]!;
  if (rest === 0) return { image: head, beta: 0 };
  const length = Math.sqrt(head * head + rest);
  const image = head > 0 ? -length : length;
  v[first] = head - image;
  return { image, beta: 2 / (v[first]! ** 2 + rest) };
}

/** w = A·v for the rows and columns from `first` on. */
function multiplyLower(a: Float64Array, n: number, first: number, v: Float64Array, w: Float64Array): void {
  w.fill(0, first);
  for (let i = first; i < n; i++) {
    const vi = v[i]!;
    let sum = a[i * n + i]! * vi;
    for (let j = first, at = i * n + first; j < i; j++, at++) {
      const value = a[at]!;
      sum += value * v[j]!;
      w[j]! += value * vi;
    }
    w[i]! += sum;
  }
}

/** A −= v·wᵀ + w·vᵀ in the lower triangle. */
function subtractPairs(a: Float64Array, n: number, first: number, v: Float64Array, w: Float64Array): void {
  for (let i = first; i < n; i++) {
    const [vi, wi] = [v[i]!, w[i]!];
    for (let j = first, at = i * n + first; j <= i; j++, at++) a[at]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** Turns `d` into the eigenvalues and the vectors into coordinates. */
function diagonalize(d: Float64Array, e: Float64Array, vectors: readonly Float64Array[]): void {
  const n = d.length;
  for (let l = 0; l < n; l++) {
    for (;;) {
      let m = l;
      while (m < n - 1 && Math.abs(e[m]!) > Number.EPSILON * (Math.abs(d[m]!) + Math.abs(d[m + 1]!))) m++;
      if (m === l) break;
      sweep(d, e, vectors, l, m);
    }
  }
}

/** One implicit QL step on the rows l … m, with Wilkinson's shift. */
function sweep(d: Float64Array, e: Float64Array, vectors: readonly Float64Array[], l: number, m: number): void {
  const ratio = (d[l + 1]! - d[l]!) / (2 * e[l]!);
  const root = Math.hypot(ratio, 1);
  let g = d[m]! - d[l]! + e[l]! / (ratio + (ratio < 0 ? -root : root));
  let [sine, cosine, shift] = [1, 1, 0];
  for (let i = m - 1; i >= l; i--) {
    const [f, b] = [sine * e[i]!, cosine * e[i]!];
    const length = Math.hypot(f, g);
    e[i + 1] = length;
    if (length === 0) {
      d[i + 1]! -= shift;
      e[m] = 0;
      return;
    }
    [sine, cosine] = [f / length, g / length];
    g = d[i + 1]! - shift;
    const turn = (d[i]! - g) * sine + 2 * cosine * b;
    shift = sine * turn;
    d[i + 1] = g + shift;
    g = cosine * turn - b;
    for (const vector of vectors) {
      const [x, y] = [vector[i]!, vector[i + 1]!];
      vector[i + 1] = sine * x + cosine * y;
      vector[i] = cosine * x - sine * y;
    }
  }
  d[l]! -= shift;
  e[l] = g;
  e[m] = 0;
}

function dotFrom(first: number, a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = first; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addFrom(first: number, to: Float64Array, factor: number, vector: Float64Array): void {
  for (let i = first; i < to.length; i++) to[i]! += factor * vector[i]!;
}
