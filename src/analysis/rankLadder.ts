/** The ranks that are looked at: the adapter's own, half of it, a quarter, … 1. */
export function rankLadder(rank: number): number[] {
  const ranks = [rank];
  for (let lower = rank >> 1; lower >= 1; lower >>= 1) ranks.push(lower);
  return ranks;
}
