/** @file Whether an adapter gives away the text that it was trained on. */

export interface LeakProbeRequest extends LeakProbeOptions {
  /** The run directory. */
  readonly run: string;
  /** Folder of one of the run's adapters. */
  readonly adapter: string;
}

export interface LeakProbeOptions {
  /** Places at most. */
  readonly probes: number;
  /** Tokens of the training text that the model is shown. */
  readonly prefixTokens: number;
  /** Tokens that it must go on with exactly. */
  readonly matchTokens: number;
  readonly seed: number;
}

/**
 * Shown 50 tokens, must go on with 50: what the literature counts as extractable (https://arxiv.org/abs/2202.07646). 50 tokens are
 * a paragraph or ten lines of code, which nothing repeats by chance.
 */
export const usualLeakProbe: LeakProbeOptions = { probes: 200, prefixTokens: 50, matchTokens: 50, seed: 1337 };

export interface LeakReport extends LeakProbeRequest {
  readonly model: string;
  /** Places that could have been probed. */
  readonly places: number;
  readonly probed: number;
  /** Places where the adapter went on exactly, and those of them where the base did so, too. */
  readonly reproduced: number;
  readonly byBaseAlso: number;
  readonly leaks: readonly Leak[];
  /** The share of places that the adapter gives away and the base does not, with its 95 % interval. */
  readonly rate: number;
  readonly interval: readonly [number, number];
  /** For example "CPU, 2 threads, int8 weights". */
  readonly engine: string;
}

export interface Leak {
  /** `path:line`, or the path alone where the line cannot be told. */
  readonly origin: string;
  /** What the model was shown, and what it went on with. */
  readonly prefix: string;
  readonly text: string;
  /** Until the adapter, and the base, first differ from the training text. */
  readonly tokens: number;
  readonly baseTokens: number;
}
