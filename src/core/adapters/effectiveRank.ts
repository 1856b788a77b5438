/** @file How many of an adapter's ranks do something, from the singular values of ΔW. */

/**
 * exp(H) of the singular values as shares of their sum (https://doi.org/10.5281/zenodo.40474): k equal values give k, one value
 * alone gives 1. 0 if all are zero.
 */
export function entropyRank(values: readonly number[]): number {
  const total = sum(values);
  if (total === 0) return 0;
  const shares = values.map((value) => value / total).filter((share) => share > 0);
  return Math.exp(-sum(shares.map((share) => share * Math.log(share))));
}

/** The smallest rank that keeps this share of ‖ΔW‖² (Frobenius). `values` are sorted, largest first; 0 if all are zero. */
export function energyRank(values: readonly number[], share: number): number {
  const wanted = share * sum(values.map((value) => value * value));
  let [kept, rank] = [0, 0];
  while (kept < wanted && rank < values.length) kept += values[rank++]! ** 2;
  return rank;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
