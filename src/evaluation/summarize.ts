/** @file From what every arm said at every position to the report. */
import {
  completionMetricNames,
  positionKinds,
  type ArmComparison,
  type ArmResult,
  type CompletionArm,
  type CompletionCase,
  type CompletionMetric,
  type CompletionReport,
  type CompletionScores,
} from '../protocol/completionReport.js';
import type { Evaluation } from './evaluateArms.js';
import { bytesOf, compared, scoresOf } from './metrics/scores.js';
import type { Position } from './positions.js';
import type { CaseResult, UnrelatedResult } from './results.js';
import { bootstrapDifference, type PairedCluster, type Quotient } from './statistics/bootstrap.js';
import { mcnemar } from './statistics/mcnemar.js';
import { quantile } from './statistics/quantile.js';
import { unrelatedTexts } from './unrelatedText.js';

/** A position with what every arm said there. */
interface Case {
  readonly position: Position;
  readonly bytes: number;
  readonly results: readonly CaseResult[];
  readonly scores: readonly CompletionScores[];
}

/** Counts only positions at which every arm was asked. */
export function summarize(
  { positions, arms }: Evaluation,
  results: readonly CaseResult[],
  unrelated: readonly UnrelatedResult[],
  seed: number,
): Pick<CompletionReport, 'arms' | 'comparisons' | 'cases' | 'fileCount'> {
  const cases = casesOf(positions, arms.length, results);
  return {
    fileCount: new Set(cases.map(({ position }) => position.source)).size,
    arms: arms.map((arm, index) => armResult(arm, index, cases, unrelated)),
    comparisons: compareArms(arms, cases, seed),
    cases: cases.map(shownCase),
  };
}

function casesOf(positions: readonly Position[], armCount: number, results: readonly CaseResult[]): readonly Case[] {
  const byPlace = new Map(results.map((result) => [`${result.position} ${result.arm}`, result]));
  return positions.flatMap((position, index) => {
    const ofArms = Array.from({ length: armCount }, (_, arm) => byPlace.get(`${index} ${arm}`)).filter(
      (each) => each !== undefined,
    );
    if (ofArms.length < armCount) return [];
    const scores = ofArms.map((result) => scoresOf(result, position));
    return [{ position, bytes: bytesOf(position.middle), results: ofArms, scores }];
  });
}

function armResult(arm: CompletionArm, index: number, cases: readonly Case[], unrelated: readonly UnrelatedResult[]): ArmResult {
  const latencies = Float64Array.from(cases, ({ results }) => results[index]!.milliseconds).sort();
  const unrelatedBytes = unrelatedTexts.reduce((sum, { text }) => sum + bytesOf(text), 0);
  return {
    ...arm,
    scores: meanScores(cases, index),
    byKind: positionKinds.flatMap((kind) => {
      const ofKind = cases.filter(({ position }) => position.kind === kind);
      return ofKind.length === 0 ? [] : [{ kind, positions: ofKind.length, scores: meanScores(ofKind, index) }];
    }),
    latencyMs: { p50: quantile(latencies, 0.5), p90: quantile(latencies, 0.9) },
    unrelatedBitsPerByte: (unrelated.find((each) => each.arm === index)?.unrelatedBits ?? 0) / unrelatedBytes,
  };
}

function meanScores(cases: readonly Case[], arm: number): CompletionScores {
  const means = completionMetricNames.map((metric) => {
    const { numerator, denominator } = total(cases, arm, metric);
    return [metric, numerator / denominator] as const;
  });
  return Object.fromEntries(means) as { [Metric in CompletionMetric]: number };
}

/** Bits per byte are those of all middles together; everything else is a mean over positions. */
function total(cases: readonly Case[], arm: number, metric: CompletionMetric): Quotient {
  const weight = ({ bytes }: Case): number => (metric === 'bitsPerByte' ? bytes : 1);
  return {
    numerator: cases.reduce((sum, each) => sum + weight(each) * each.scores[arm]![metric], 0),
    denominator: cases.reduce((sum, each) => sum + weight(each), 0),
  };
}

/** The run's adapter against the control, then against the base, then against the others. */
function compareArms(arms: readonly CompletionArm[], cases: readonly Case[], seed: number): readonly ArmComparison[] {
  const own = arms.findIndex(({ role }) => role === 'adapter');
  if (own < 0 || cases.length === 0) return [];
  const others = (['control', 'base', 'other'] as const).flatMap((role) =>
    [...arms.keys()].filter((arm) => arms[arm]!.role === role),
  );
  return others.map((against) => compare(own, against, cases, seed));
}

function compare(arm: number, against: number, cases: readonly Case[], seed: number): ArmComparison {
  const isExact = ({ scores }: Case, of: number): boolean => scores[of]!.exactMatch === 1;
  const onlyArm = cases.filter((each) => isExact(each, arm) && !isExact(each, against)).length;
  const onlyAgainst = cases.filter((each) => !isExact(each, arm) && isExact(each, against)).length;
  return {
    arm,
    against,
    differences: completionMetricNames.map((metric) => {
      const clusters = byFile(cases).map((ofFile): PairedCluster => [total(ofFile, arm, metric), total(ofFile, against, metric)]);
      return { metric, ...bootstrapDifference(clusters, seed) };
    }),
    onlyArm,
    onlyAgainst,
    pValue: mcnemar(onlyArm, onlyAgainst),
  };
}

function byFile(cases: readonly Case[]): readonly (readonly Case[])[] {
  const files = new Map<unknown, Case[]>();
  for (const each of cases) files.set(each.position.source, [...(files.get(each.position.source) ?? []), each]);
  return [...files.values()];
}

/** Enough to see what was asked. */
const shownLines = 12;

function shownCase({ position, results, scores }: Case): CompletionCase {
  const { kind, source, start, end, middle } = position;
  const linesBefore = source.text.slice(0, start).split('\n');
  return {
    kind,
    path: source.path,
    file: source.file,
    line: linesBefore.length,
    column: linesBefore.at(-1)!.length + 1,
    before: linesBefore.slice(-shownLines).join('\n'),
    truth: middle,
    after: source.text
      .slice(end)
      .split('\n')
      .slice(0, shownLines / 2)
      .join('\n'),
    suggestions: results.map((result, arm) => ({ text: compared(result, position).suggestion, scores: scores[arm]! })),
  };
}
