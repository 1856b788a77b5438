/** @file What became of suggestions, counted for each of those who wrote them, and which of two is preferred. */
import { wilsonInterval } from './wilsonInterval.js';

/** Seconds after which it is looked at what is left of an accepted suggestion. */
export const lookedAtAfter = [30, 300] as const;

/** Who writes: a base, alone or with an adapter. Paths. */
export interface Writer {
  readonly model: string;
  readonly adapter: string | null;
}

export interface Accepted {
  readonly accepted: number;
  readonly shown: number;
}

export interface WriterCounts extends Writer, Accepted {
  readonly acceptedWords: number;
  /** For each of `lookedAtAfter`. */
  readonly kept: readonly KeptCharacters[];
}

export interface KeptCharacters {
  /** Accepted characters that were looked at again, and those of them that were still there. */
  readonly lookedAt: number;
  readonly kept: number;
}

/** Two writers who take turns without it being shown who writes. */
export interface Comparison {
  /** In milliseconds since 1970; tells one comparison from another. */
  readonly startedAt: number;
  readonly writers: readonly [Writer, Writer];
}

/** Surer than this, a preference is said. */
const sure = 0.95;

export interface Preference {
  /** Which of the two is accepted more often. */
  readonly preferred: 0 | 1;
  /** The probability of that. */
  readonly probability: number;
  readonly isSure: boolean;
  /** By what share of the suggestions, with its 95 % interval. */
  readonly difference: number;
  readonly interval: readonly [number, number];
}

/** Null while only one of the two has suggested something. */
export function preferenceOf([first, second]: readonly [Accepted, Accepted]): Preference | null {
  if (first.shown === 0 || second.shown === 0) return null;
  const ofSecond = probabilityOfPreference(first, second);
  const preferred = ofSecond >= 0.5 ? 1 : 0;
  const probability = Math.max(ofSecond, 1 - ofSecond);
  const [better, worse] = preferred === 1 ? [second, first] : [first, second];
  return { preferred, probability, isSure: probability >= sure, ...differenceOf(better, worse) };
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

/** Of the shares that are accepted; from the intervals of both (method 10 of Newcombe 1998, Statistics in Medicine 17, 873–890). */
export function differenceOf(one: Accepted, other: Accepted): Pick<Preference, 'difference' | 'interval'> {
  const [share, otherShare] = [one, other].map(({ accepted, shown }) => accepted / shown) as [number, number];
  const [low, high] = wilsonInterval(one.accepted, one.shown);
  const [otherLow, otherHigh] = wilsonInterval(other.accepted, other.shown);
  const difference = share - otherShare;
  return {
    difference,
    interval: [
      difference - Math.hypot(share - low, otherHigh - otherShare),
      difference + Math.hypot(high - share, otherShare - otherLow),
    ],
  };
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
