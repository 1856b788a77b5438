/** @file What an evaluation of inline completion found: evaluations/…/report.json in a run directory, and the state of its panel. */
import { count, list, nullable, number, object, oneOf, string, type Guard } from './guard.js';

/** Where the cursor was put, and so what was to be written: the rest of a line, all of it, or several lines. */
export const positionKinds = ['lineRest', 'line', 'block', 'arguments', 'functionBody'] as const;
export type PositionKind = (typeof positionKinds)[number];

/**
 * The measures of completion, as the field defines them (docs/decisions/0028). Shares lie between 0 and 1. Both Levenshtein
 * distances are means in characters; `optimal` is that of the best beginning of the suggestion, so the rest of `full` is talking on.
 */
export const completionMetrics = {
  exactMatch: { unit: 'share', better: 'higher' },
  firstLine: { unit: 'share', better: 'higher' },
  editSimilarity: { unit: 'share', better: 'higher' },
  identifierF1: { unit: 'share', better: 'higher' },
  stopRate: { unit: 'share', better: 'higher' },
  bitsPerByte: { unit: 'bits', better: 'lower' },
  fullLevenshtein: { unit: 'characters', better: 'lower' },
  optimalLevenshtein: { unit: 'characters', better: 'lower' },
} as const satisfies Record<string, { unit: 'share' | 'bits' | 'characters'; better: 'higher' | 'lower' }>;
export type CompletionMetric = keyof typeof completionMetrics;
export const completionMetricNames = Object.keys(completionMetrics) as CompletionMetric[];

export type CompletionScores = { readonly [Metric in CompletionMetric]: number };

/** What an arm stands for in the comparison. */
export const armRoles = ['base', 'control', 'adapter', 'other'] as const;
export type ArmRole = (typeof armRoles)[number];

/** What the model is told: the text around the cursor, or also similar parts of other files. */
export const armContexts = ['cursor', 'retrieved'] as const;
export type ArmContext = (typeof armContexts)[number];

/** One way of completing that is compared with the others. */
export interface CompletionArm {
  readonly name: string;
  readonly role: ArmRole;
  /** Its folder; null is the base alone. */
  readonly adapter: string | null;
  readonly context: ArmContext;
}

export interface ArmResult extends CompletionArm {
  readonly scores: CompletionScores;
  readonly byKind: readonly { readonly kind: PositionKind; readonly positions: number; readonly scores: CompletionScores }[];
  /** Of a whole suggestion, with nothing of its prompt read before. */
  readonly latencyMs: { readonly p50: number; readonly p90: number };
  /** Bits per byte of a text that has nothing to do with the workspace: what an adapter adds here, it has forgotten. */
  readonly unrelatedBitsPerByte: number;
}

/** With its 95 % interval, of the paired bootstrap over files. */
export interface MetricDifference {
  readonly metric: CompletionMetric;
  readonly difference: number;
  readonly low: number;
  readonly high: number;
}

/** Two arms at the same positions. */
export interface ArmComparison {
  /** Indices in `arms`; differences are the first minus the second. */
  readonly arm: number;
  readonly against: number;
  readonly differences: readonly MetricDifference[];
  /** Positions at which only the first, or only the second, is exact, and the p value of McNemar's exact test. */
  readonly onlyArm: number;
  readonly onlyAgainst: number;
  readonly pValue: number;
}

export interface CompletionCase {
  readonly kind: PositionKind;
  /** Absolute path, and how it is shown. */
  readonly path: string;
  readonly file: string;
  /** Of the cursor, counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The nearest lines before and after the cursor, and what was to be written between them. */
  readonly before: string;
  readonly truth: string;
  readonly after: string;
  /** One for each arm. */
  readonly suggestions: readonly CaseSuggestion[];
}

export interface CaseSuggestion {
  /** What the suggestion puts in the place of the truth. */
  readonly text: string;
  readonly scores: CompletionScores;
}

/** A held-out file that was left out, because the adapter has seen it, or most of it, in training. */
export interface LeakedFile {
  readonly path: string;
  readonly trainedOn: string;
  /** Share of its runs of 13 tokens that the other file contains too; 1 for a copy. */
  readonly share: number;
}

export interface CompletionReport {
  /** The run's name. */
  readonly run: string;
  readonly model: string;
  /** "CPU, 2 threads, int8 weights". */
  readonly engine: string;
  readonly createdAt: string;
  readonly seed: number;
  /** Held-out files with positions. */
  readonly fileCount: number;
  readonly leaked: readonly LeakedFile[];
  readonly arms: readonly ArmResult[];
  /** The run's adapter against each of the other arms, that of the headline first. */
  readonly comparisons: readonly ArmComparison[];
  readonly cases: readonly CompletionCase[];
}

/** With fewer positions, a difference says little. */
export const enoughPositions = 200;

export const completionScores: Guard<CompletionScores> = object({
  exactMatch: number,
  firstLine: number,
  editSimilarity: number,
  identifierF1: number,
  stopRate: number,
  bitsPerByte: number,
  fullLevenshtein: number,
  optimalLevenshtein: number,
});
const kind = oneOf(...positionKinds);
const metric = oneOf(...completionMetricNames);

export const completionReport: Guard<CompletionReport> = object({
  run: string,
  model: string,
  engine: string,
  createdAt: string,
  seed: count,
  fileCount: count,
  leaked: list(object<LeakedFile>({ path: string, trainedOn: string, share: number })),
  arms: list(
    object<ArmResult>({
      name: string,
      role: oneOf(...armRoles),
      adapter: nullable(string),
      context: oneOf(...armContexts),
      scores: completionScores,
      byKind: list(object({ kind, positions: count, scores: completionScores })),
      latencyMs: object({ p50: number, p90: number }),
      unrelatedBitsPerByte: number,
    }),
  ),
  comparisons: list(
    object<ArmComparison>({
      arm: count,
      against: count,
      differences: list(object({ metric, difference: number, low: number, high: number })),
      onlyArm: count,
      onlyAgainst: count,
      pValue: number,
    }),
  ),
  cases: list(
    object<CompletionCase>({
      kind,
      path: string,
      file: string,
      line: count,
      column: count,
      before: string,
      truth: string,
      after: string,
      suggestions: list(object<CaseSuggestion>({ text: string, scores: completionScores })),
    }),
  ),
});
