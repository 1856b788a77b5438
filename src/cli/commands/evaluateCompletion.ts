import { resolve } from 'node:path';
import type { CompletionRequest } from '../../complete/complete.js';
import { evaluateRun } from '../../evaluation/evaluateRun.js';
import {
  completionMetrics,
  completionMetricNames,
  enoughPositions,
  type ArmComparison,
  type ArmResult,
  type CompletionMetric,
  type CompletionReport,
} from '../../protocol/completionReport.js';
import { headlineOf } from '../../protocol/evaluateCompletion.js';
import type { DeviceSetting } from '../../runtime/chooseDevice.js';
import { exportView } from '../exportView.js';
import { plural, tableOf } from '../format.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import type { Output } from '../output.js';
import type { CommandContext } from '../runCommand.js';
import { shortestPath } from '../shortestPath.js';

export interface EvaluateCompletionOptions {
  readonly control?: string;
  readonly trainControl?: string;
  readonly adapter?: readonly string[];
  readonly files?: string;
  readonly positions: number;
  readonly seed: number;
  readonly strength: number;
  readonly mode: CompletionRequest['mode'];
  readonly fim: string;
  readonly maxNewTokens: number;
  readonly retrieval?: boolean;
  readonly device: DeviceSetting;
  readonly threads?: number;
}

export async function evaluateCompletion(
  { output, signal }: CommandContext,
  run: string,
  options: EvaluateCompletionOptions,
): Promise<ExitCode> {
  const { positions, seed, mode, maxNewTokens } = options;
  const request = {
    run,
    control: options.control ?? null,
    trainControlOn: options.trainControl ?? null,
    adapters: options.adapter ?? [],
    files: options.files === undefined ? null : resolve(options.files),
    positions,
    seed,
    mode,
    fillInTheMiddle: options.fim,
    maxNewTokens,
    adapterStrength: options.strength,
    retrieval: Boolean(options.retrieval),
  };
  const { device, threads = null } = options;
  const { report, reportPath } = await exportView(output, (tell) => evaluateRun(request, { device, threads }, tell, signal));
  const { cases, ...numbers } = report;
  output.emit({ ...numbers, positions: cases.length, headline: headlineOf(report), report: reportPath });
  showReport(output, report, reportPath);
  return exitCodes.done;
}

function showReport(output: Output, report: CompletionReport, path: string): void {
  const { arms, comparisons, cases, fileCount, leaked, engine } = report;
  output.say(output.bold(headlineText(report)));
  for (const text of clearDifferenceTexts(report)) output.say(text);
  output.say();
  const names = arms.map(({ name }) => name);
  output.say(tableOf([['', ...names], ...completionMetricNames.map((metric) => armRow(metric, arms)), ...otherRows(arms)]));
  for (const comparison of comparisons) {
    output.say();
    output.say(comparisonText(comparison, report));
  }
  output.say();
  for (const { path: file, trainedOn } of leaked) output.warn(`${file} was left out: the adapter was trained on ${trainedOn}.`);
  output.say(`${plural(cases.length, 'position')} in ${plural(fileCount, 'file')}, on ${engine}.`);
  output.say(`The report is in ${shortestPath(path)}; Show Completion Report in VS Code shows every suggestion.`);
}

function headlineText(report: CompletionReport): string {
  const headline = headlineOf(report);
  if (!headline) return 'There is nothing to compare the adapter with.';
  const { exact, verdict, against, isEnough } = headline;
  const interval = `(95 % interval ${signed('exactMatch', exact.low)} to ${signed('exactMatch', exact.high)} points)`;
  const than = against === 'control' ? 'the control' : 'the base, without a control to tell what any training would have done';
  const size = (100 * Math.abs(exact.difference)).toFixed(1);
  const said = {
    better: `The adapter is exactly right ${size} percentage points more often than ${than} ${interval}.`,
    worse: `The adapter is exactly right ${size} percentage points less often than ${than} ${interval}.`,
    same: `The adapter and ${than} are exactly right about equally often: the difference is ${signed('exactMatch', exact.difference)} points ${interval}.`,
  }[verdict];
  return isEnough
    ? said
    : `Not enough data: ${report.cases.length} positions, and a difference needs ${enoughPositions}. ${said}`;
}

function clearDifferenceTexts(report: CompletionReport): string[] {
  const said = {
    editSimilarity: {
      better: 'The adapter’s suggestions are more similar to what was written: edit similarity',
      worse: 'The adapter’s suggestions are less similar to what was written: edit similarity',
    },
    bitsPerByte: {
      better: 'The adapter predicts what was written better: bits per byte',
      worse: 'The adapter predicts what was written less well: bits per byte',
    },
  };
  return (headlineOf(report)?.clear ?? []).map(
    ({ metric, verdict, difference, low, high }) =>
      `${said[metric][verdict]} ${signed(metric, difference)} (${signed(metric, low)} to ${signed(metric, high)}).`,
  );
}

function armRow(metric: CompletionMetric, arms: readonly ArmResult[]): readonly string[] {
  return [metricTitles[metric], ...arms.map(({ scores }) => shown(metric, scores[metric]))];
}

function otherRows(arms: readonly ArmResult[]): readonly (readonly string[])[] {
  return [
    ['Bits per byte, unrelated text', ...arms.map(({ unrelatedBitsPerByte }) => unrelatedBitsPerByte.toFixed(3))],
    ['Latency p50, ms', ...arms.map(({ latencyMs }) => latencyMs.p50.toFixed(0))],
    ['Latency p90, ms', ...arms.map(({ latencyMs }) => latencyMs.p90.toFixed(0))],
  ];
}

function comparisonText(
  { arm, against, differences, onlyArm, onlyAgainst, pValue }: ArmComparison,
  { arms }: CompletionReport,
): string {
  const rows = differences.map(({ metric, difference, low, high }) => [
    metricTitles[metric],
    signed(metric, difference),
    `${signed(metric, low)} to ${signed(metric, high)}`,
  ]);
  const exact = `only the first is exact ${onlyArm} times, only the second ${onlyAgainst} times; McNemar’s p = ${Number(pValue.toPrecision(2))}`;
  return `${arms[arm]!.name} − ${arms[against]!.name}: ${exact}\n${tableOf([['', 'difference', '95 % interval'], ...rows])}`;
}

const metricTitles: Readonly<Record<CompletionMetric, string>> = {
  exactMatch: 'Exact match, %',
  firstLine: 'First line exact, %',
  editSimilarity: 'Edit similarity (fuzz.ratio), %',
  identifierF1: 'Identifier F1, %',
  stopRate: 'Ended by itself, %',
  bitsPerByte: 'Bits per byte',
  fullLevenshtein: 'Levenshtein, full',
  optimalLevenshtein: 'Levenshtein, optimal',
};

function shown(metric: CompletionMetric, value: number): string {
  switch (completionMetrics[metric].unit) {
    case 'share':
      return (100 * value).toFixed(1);
    case 'bits':
      return value.toFixed(3);
    case 'characters':
      return value.toFixed(1);
  }
}

function signed(metric: CompletionMetric, value: number): string {
  return `${value < 0 ? '−' : '+'}${shown(metric, Math.abs(value))}`;
}
