/** @file How much of the directions of one adapter lies in those of another (LoRA, section 7.2, https://arxiv.org/abs/2106.09685). */
import { dot } from './decomposition.js';

/**
 * φ(i, j) = ‖UᵢᵀVⱼ‖² / min(i, j), Frobenius, for the first i vectors of one orthonormal set and the first j of another: 1 if one
 * of the subspaces contains the other, 0 if they are orthogonal. grid[i − 1][j − 1].
 */
export function subspaceSimilarity(first: readonly Float64Array[], second: readonly Float64Array[]): readonly Float64Array[] {
  const sums: Float64Array[] = [];
  for (const [i, u] of first.entries()) {
    const row = new Float64Array(second.length);
    let inRow = 0;
    for (const [j, v] of second.entries()) {
      inRow += dot(u, v) ** 2;
      row[j] = inRow + (sums[i - 1]?.[j] ?? 0);
    }
    sums.push(row);
  }
  return sums.map((row, i) => row.map((total, j) => total / (Math.min(i, j) + 1)));
}

/** The mean of φ(i, j) for random subspaces of a space of `dimensions`: what two unrelated adapters would have. */
export function similarityByChance(i: number, j: number, dimensions: number): number {
  return Math.max(i, j) / dimensions;
}
