/** @file What the extension asks for to evaluate inline completion, and how the headline of a report is read. */
import type { CompletionMode, FillInTheMiddleChoice } from './backend.js';
import { completionMetrics, enoughPositions, type CompletionReport, type MetricDifference } from './completionReport.js';

export interface EvaluateCompletionRequest {
  /** The run directory whose adapter is evaluated. */
  readonly run: string;
  /** The control: the folder of an adapter, or a run; null takes the one kept with the run, if there is one. */
  readonly control: string | null;
  /** Trains the control on the source code of this folder first, and keeps it with the run. */
  readonly trainControlOn: string | null;
  /** Other adapters to compare with. */
  readonly adapters: readonly string[];
  /** A folder of source code to evaluate on, in place of the files that the run held out. */
  readonly files: string | null;
  readonly positions: number;
  readonly seed: number;
  /** As in the settings of inline completion. */
  readonly mode: CompletionMode;
  readonly fillInTheMiddle: FillInTheMiddleChoice;
  readonly maxNewTokens: number;
  readonly adapterStrength: number;
  /** Compares also with the base, and the adapter, when they are told parts of the training files that resemble the place. */
  readonly retrieval: boolean;
}

/** The same for the best adapters of all finished runs of a sweep, which have held out the same files. */
export interface EvaluateSweepRequest extends Omit<
  EvaluateCompletionRequest,
  'run' | 'control' | 'trainControlOn' | 'adapters' | 'files' | 'retrieval'
> {
  /** The absolute path of the sweep's folder. */
  readonly sweepId: string;
}

export interface EvaluateCompletionProgress {
  /** Training the control, in steps; asking the arms, in suggestions. */
  readonly stage: 'trainingControl' | 'completing';
  readonly done: number;
  readonly total: number;
}

/** Whether the interval of a difference lies on the better side of 0, on the worse, or around it. */
export type Verdict = 'better' | 'worse' | 'same';

export interface Headline {
  /** In exact matches, and the verdict on it. */
  readonly exact: MetricDifference;
  readonly verdict: Verdict;
  /** Other differences whose interval is not around 0: fewer positions are enough for these than for exact matches. */
  readonly clear: readonly ClearDifference[];
  readonly against: 'control' | 'base';
  readonly isEnough: boolean;
}

export interface ClearDifference extends MetricDifference {
  readonly metric: 'editSimilarity' | 'bitsPerByte';
  readonly verdict: Exclude<Verdict, 'same'>;
}

/** Null if there is nothing to compare the adapter with. Without a control, it is the base, which says less. */
export function headlineOf({ comparisons, arms, cases }: CompletionReport): Headline | null {
  const [comparison] = comparisons;
  const against = comparison && arms[comparison.against]?.role;
  const exact = comparison?.differences.find(({ metric }) => metric === 'exactMatch');
  if (!comparison || !exact || (against !== 'control' && against !== 'base')) return null;
  const clear = comparison.differences.flatMap((difference): ClearDifference[] => {
    const { metric } = difference;
    const verdict = verdictOn(difference);
    const isClear = (metric === 'editSimilarity' || metric === 'bitsPerByte') && verdict !== 'same';
    return isClear ? [{ ...difference, metric, verdict }] : [];
  });
  return { exact, verdict: verdictOn(exact), clear, against, isEnough: cases.length >= enoughPositions };
}

function verdictOn({ metric, low, high }: MetricDifference): Verdict {
  if (low <= 0 && high >= 0) return 'same';
  return low > 0 === (completionMetrics[metric].better === 'higher') ? 'better' : 'worse';
}
