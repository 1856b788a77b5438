/** @file Which of two writers is preferred, by how often their suggestions are accepted, and how sure that is. */

export interface Accepted {
  readonly accepted: number;
  readonly shown: number;
}

/**
 * The probability that the second is accepted more often than the first, with every rate equally likely beforehand: of Beta(1 +
 * accepted, 1 + not accepted) for each (https://www.evanmiller.org/bayesian-ab-testing.html, formula 6).
 */
export function probabilityOfPreference(first: Accepted, second: Accepted): number {
  const [a1, b1] = [1 + first.accepted, 1 + first.shown - first.accepted];
  const [a2, b2] = [1 + second.accepted, 1 + second.shown - second.accepted];
  let sum = 0;
  for (let i = 0; i < a2; i++)
    sum += Math.exp(logBeta(a1 + i, b1 + b2) - Math.log(b2 + i) - logBeta(1 + i, b2) - logBeta(a1, b1));
  return Math.min(1, sum);
}

/** Of whole numbers. */
function logBeta(a: number, b: number): number {
  return logFactorial(a - 1) + logFactorial(b - 1) - logFactorial(a + b - 1);
}

const logFactorials = [0];

function logFactorial(n: number): number {
  for (let k = logFactorials.length; k <= n; k++) logFactorials.push(logFactorials[k - 1]! + Math.log(k));
  return logFactorials[n]!;
}

/** The order of the two in each pair of turns is drawn, so that it cannot be guessed, and both get equally many. */
export function drawPair(random: () => number): readonly [boolean, boolean] {
  const first = random() < 0.5;
  return [first, !first];
}
