/**
 * @file A sweep trains one config with several values of some settings. Its folder holds sweep.json and, one folder each, its runs,
 * which are runs like any other. Everything else that is known of it comes from them (docs/run-directory.md).
 */
import type { CompletionScores } from './completionReport.js';
import type { RunStatus } from './run.js';
import type { RunConfig } from './runConfig.js';

/** A value of a setting of run.json. */
export type SettingValue = string | number | boolean | null | readonly (string | number)[];

/** Settings by their path in run.json, such as "lora.r". */
export type SettingValues = Readonly<Record<string, SettingValue>>;

/** What the user asks for. */
export interface SweepRequest {
  /** Null means a name made of what is varied. */
  readonly name: string | null;
  /** What all runs share. */
  readonly config: RunConfig;
  /** The values to try, by setting: all their combinations are trained. */
  readonly parameters: Readonly<Record<string, readonly SettingValue[]>>;
  /**
   * Successive halving (Jamieson & Talwalkar 2016): after some steps, only the best 1/eta of the runs go on, and again after eta
   * times as many. Null trains all runs to their end.
   */
  readonly halving: { readonly eta: number } | null;
}

/** sweep.json; never changes. */
export interface Sweep extends SweepRequest {
  readonly name: string;
  readonly createdAt: string;
  readonly runs: readonly SweepRun[];
}

export interface SweepRun {
  /** Its folder in the sweep's folder, such as "r=8,learning_rate=0.0003". */
  readonly folder: string;
  readonly settings: SettingValues;
}

/** How a sweep stands, put together from its runs when asked for. */
export interface SweepReport {
  /** The absolute path of its folder. */
  readonly sweepId: string;
  readonly name: string;
  readonly model: string;
  readonly dataPath: string;
  /** The settings that vary, in the order in which they were given. */
  readonly settings: readonly string[];
  /** With halving, the steps after which the runs are compared, rising, without the last; empty until their number is known. */
  readonly rungs: readonly number[];
  /** Whether no run is waiting or at work. */
  readonly isComplete: boolean;
  /** Held-out loss of the base alone; null if it is not known yet. */
  readonly baseLoss: number | null;
  /** Whether the runs learn from source code, so that it can be measured how well they complete it. */
  readonly isOfCode: boolean;
  /** In the order in which they were planned. */
  readonly rows: readonly SweepRow[];
  /** Null until a run has been measured to its end. */
  readonly recommendation: SweepRecommendation | null;
}

export interface SweepRow {
  readonly runId: string;
  readonly name: string;
  readonly settings: SettingValues;
  readonly status: RunStatus;
  readonly step: number;
  readonly totalSteps: number;
  /** The step at which halving left it; null if it was not. */
  readonly leftAtStep: number | null;
  /** The best held-out loss so far; null if nothing is measured yet. */
  readonly heldOutLoss: number | null;
  /** Of a run trained to its end, against the best of these, on the same held-out data; of the best itself, 0 and 0. */
  readonly toBest: LossDifference | null;
  readonly trainableParameters: number;
  /** Seconds of work so far. */
  readonly seconds: number | null;
  readonly peakMemoryBytes: number | null;
  readonly tokensPerSecond: number | null;
  /** Null if inline completion was not evaluated. */
  readonly completion: CompletionScores | null;
}

export interface LossDifference {
  /** Held-out loss minus that of the best run. */
  readonly difference: number;
  /** Half of its 95 % interval; null if there was only one batch to measure on. */
  readonly halfInterval: number | null;
}

/** Which run to take: of those that cannot be told from the best, the one with the fewest parameters (then the fastest). */
export interface SweepRecommendation {
  /** Indices in `rows`. */
  readonly take: number;
  readonly best: number;
  /** Whether held-out data was too little to tell any run from the best. */
  readonly isUncertain: boolean;
}
