/**
 * @file The singular values of ΔW = scaling · B·A, with A [r, in] and B [out, r], and its best approximation of a lower rank. ΔW
 * itself is never formed: with B = Q_B·R_B and Aᵀ = Q_A·R_A, everything follows from the small matrix R_B·R_Aᵀ [r, r].
 */
import type { HostTensor } from '../formats/hostTensor.js';
import { addScaled, dot, orthonormalize, singularTriplets, type SingularTriplets } from './decomposition.js';

/** Largest first; as many as the rank of the matrices. Computed in double precision. */
export function singularValues(loraA: HostTensor, loraB: HostTensor, scaling: number): readonly number[] {
  return decompose(loraA, loraB, scaling).core.values;
}

/** ΔW = Σ values[k] · left[k] · right[k]ᵀ, with directions [out] and [in] of length 1. Ranks that do nothing are left out. */
export function singularDirections(loraA: HostTensor, loraB: HostTensor, scaling: number): SingularTriplets {
  const { core, basisA, basisB } = decompose(loraA, loraB, scaling);
  const count = core.values.filter((value) => value > negligible * core.values[0]!).length;
  const ones = Array<number>(count).fill(1);
  return {
    left: combinations(basisB, core.left, ones),
    values: core.values.slice(0, count),
    right: combinations(basisA, core.right, ones),
  };
}

/** A singular value below this share of the largest is rounding of the fp32 factors. */
const negligible = 1e-7;

export interface Truncated {
  /** [rank, in] and [out, rank]; scaling 1. The square root of each singular value is in either matrix. */
  readonly loraA: HostTensor;
  readonly loraB: HostTensor;
  readonly loss: TruncationLoss;
}

/** What a truncation leaves out, in squares of the Frobenius norm (the sum of the squared singular values). */
export interface TruncationLoss {
  readonly dropped: number;
  readonly total: number;
}

/** The matrix of this rank that is nearest to ΔW (Eckart and Young). A rank above that of ΔW is filled up with zeros. */
export function truncate(loraA: HostTensor, loraB: HostTensor, scaling: number, rank: number): Truncated {
  const { core, basisA, basisB } = decompose(loraA, loraB, scaling);
  const roots = core.values.slice(0, rank).map(Math.sqrt);
  const squares = core.values.map((value) => value * value);
  return {
    loraA: rowsTensor(rank, combinations(basisA, core.right, roots), loraA.shape[1]!),
    loraB: columnsTensor(rank, combinations(basisB, core.left, roots), loraB.shape[0]!),
    loss: { dropped: sum(squares.slice(rank)), total: sum(squares) },
  };
}

/** ‖ΔW − truncated‖ / ‖ΔW‖, Frobenius; 0 if ΔW is zero. */
export function relativeError({ dropped, total }: TruncationLoss): number {
  return total === 0 ? 0 : Math.sqrt(dropped / total);
}

/** The share of ‖ΔW‖² that is kept. */
export function energyKept({ dropped, total }: TruncationLoss): number {
  return total === 0 ? 1 : 1 - dropped / total;
}

export function addLosses(losses: readonly TruncationLoss[]): TruncationLoss {
  return { dropped: sum(losses.map(({ dropped }) => dropped)), total: sum(losses.map(({ total }) => total)) };
}

interface Decomposed {
  /** Of scaling · R_B · R_Aᵀ. */
  readonly core: SingularTriplets;
  /** The columns of Q_A, of length in, and of Q_B, of length out. */
  readonly basisA: readonly Float64Array[];
  readonly basisB: readonly Float64Array[];
}

function decompose(loraA: HostTensor, loraB: HostTensor, scaling: number): Decomposed {
  const ofA = orthonormalize(rows(loraA));
  const ofB = orthonormalize(columns(loraB));
  const coreColumns = ofA.coefficients.map((a) => Float64Array.from(ofB.coefficients, (b) => scaling * dot(b, a)));
  return { core: singularTriplets(coreColumns), basisA: ofA.basis, basisB: ofB.basis };
}

function rows({ shape, data }: HostTensor): Float64Array[] {
  const [count, length] = shape as [number, number];
  return Array.from({ length: count }, (_, row) => Float64Array.from(data.subarray(row * length, (row + 1) * length)));
}

function columns({ shape, data }: HostTensor): Float64Array[] {
  const [length, count] = shape as [number, number];
  return Array.from({ length: count }, (_, column) => Float64Array.from({ length }, (_, row) => data[row * count + column]!));
}

/** roots[k] · Σ_j vectors[k][j] · basis[j] */
function combinations(
  basis: readonly Float64Array[],
  vectors: readonly Float64Array[],
  roots: readonly number[],
): Float64Array[] {
  return roots.map((root, k) => {
    const combined = new Float64Array(basis[0]!.length);
    for (const [j, direction] of basis.entries()) addScaled(combined, root * vectors[k]![j]!, direction);
    return combined;
  });
}

function rowsTensor(count: number, vectors: readonly Float64Array[], length: number): HostTensor {
  const data = new Float32Array(count * length);
  for (const [row, vector] of vectors.entries()) data.set(vector, row * length);
  return { shape: [count, length], data };
}

function columnsTensor(count: number, vectors: readonly Float64Array[], length: number): HostTensor {
  const data = new Float32Array(length * count);
  for (const [column, vector] of vectors.entries())
    for (let row = 0; row < length; row++) data[row * count + column] = vector[row]!;
  return { shape: [length, count], data };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
