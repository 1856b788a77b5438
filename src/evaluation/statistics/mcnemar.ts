/**
 * The two-sided p value of McNemar's exact test: of `onlyOne + onlyOther` cases in which exactly one of two is right, how likely it
 * is that they are divided at least as unevenly as this if both are equally good. Twice the tail of the binomial distribution.
 */
export function mcnemar(onlyOne: number, onlyOther: number): number {
  const total = onlyOne + onlyOther;
  const least = Math.min(onlyOne, onlyOther);
  // ln of C(total, count) / 2^total, from one count to the next.
  let logTerm = -total * Math.LN2;
  let tail = 0;
  for (let chosen = 0; chosen <= least; chosen++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(total - chosen) - Math.log(chosen + 1);
  }
  return Math.min(1, 2 * tail);
}
