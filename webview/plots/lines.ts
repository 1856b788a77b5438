/** @file Which lines a plot draws for which runs. */
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { formatBytes, formatNumber, formatValue, t } from '../shared/text.js';
import type { Column } from './column.js';
import type { RunSeries, StepMeasure } from './runSeries.js';

export interface PlotDefinition {
  readonly measure: StepMeasure;
  readonly title: PhraseKey;
  /** Noisy values are drawn faintly, with their moving average on top. */
  readonly noisy: boolean;
  /** Whether it follows the log scale switch. */
  readonly logarithmic: boolean;
  /** Whether it is an amount, whose axis starts at zero. */
  readonly fromZero: boolean;
  /** How its values are formatted. */
  readonly format: (value: number) => string;
}

const value = { logarithmic: false, fromZero: false, format: formatValue } as const;
const amount = { noisy: false, logarithmic: false, fromZero: true } as const;

export const lossPlot: PlotDefinition = { ...value, measure: 'loss', title: 'plot.loss', noisy: true, logarithmic: true };

export const allPlots: readonly PlotDefinition[] = [
  lossPlot,
  { ...value, measure: 'learning_rate', title: 'plot.learningRate', noisy: false },
  { ...value, measure: 'grad_norm', title: 'plot.gradientNorm', noisy: true, logarithmic: true },
  { ...value, measure: 'tokens_per_second', title: 'plot.speed', noisy: true },
  { ...amount, measure: 'cpu_percent', title: 'plot.processor', format: percentOfCore },
  { ...amount, measure: 'memory_bytes', title: 'plot.memory', format: formatBytes },
];

export interface BoardRun {
  readonly runId: string;
  readonly name: string;
  readonly series: RunSeries;
}

export interface PlotLine {
  /** Empty if the plot's title says it all. */
  readonly name: string;
  /** A `faint` line lies under the main one and is not listed. */
  readonly kind: 'faint' | 'line' | 'evaluation';
  readonly steps: Column;
  readonly values: Column;
  readonly format: (value: number) => string;
  /** Indices into palette and dash patterns. */
  readonly color: number;
  readonly dash: number;
}

/** Number of colours in a theme's palette. */
const paletteSize = 6;

/** Solid for training, dashed for evaluation; from the seventh run on, when colours repeat, other patterns. Lengths in pixels. */
export const dashPatterns: readonly (readonly number[])[] = [[], [6, 4], [12, 4], [2, 2]];
const solid = 0;
const dashed = 1;
const dashesOfLaterRounds = 2;

/** The seventh run has the first one's colour again, but another dash. */
export function runLineStyle(index: number, line = solid): Pick<PlotLine, 'color' | 'dash'> {
  return { color: index % paletteSize, dash: line + (index < paletteSize ? 0 : dashesOfLaterRounds) };
}

export function plotLines(definition: PlotDefinition, runs: readonly BoardRun[], smoothing: number): PlotLine[] {
  return runs.flatMap((run, index) => [
    ...stepLines(definition, run, index, smoothing, runs.length === 1),
    ...evaluationLine(definition, run, index, runs.length === 1),
  ]);
}

function stepLines(definition: PlotDefinition, run: BoardRun, index: number, smoothing: number, alone: boolean): PlotLine[] {
  const { series } = run;
  const { steps, values: raw } = series.measures[definition.measure];
  if (raw.length === 0 && series.steps.length > 0) return []; // a run of a version that did not measure it
  const { format } = definition;
  const line = { name: alone ? nameAlone(definition) : run.name, steps, format, ...runLineStyle(index) };
  if (!definition.noisy || smoothing === 0) return [{ ...line, kind: 'line', values: raw }];
  return [
    { ...line, kind: 'faint', values: raw },
    { ...line, kind: 'line', values: series.smoothed(definition.measure, smoothing) },
  ];
}

/** A single run's evaluation has its own colour; among several runs it has its run's, and dashes and markers set it apart. */
function evaluationLine(definition: PlotDefinition, run: BoardRun, index: number, alone: boolean): PlotLine[] {
  if (definition.measure !== 'loss' || run.series.evalLoss.length === 0) return [];
  const style = runLineStyle(alone ? 1 : index, dashed);
  const name = alone ? t('plot.evaluation') : t('plot.evaluationOf', run.name);
  return [
    { name, kind: 'evaluation', steps: run.series.evalSteps, values: run.series.evalLoss, format: definition.format, ...style },
  ];
}

function nameAlone({ measure }: PlotDefinition): string {
  return measure === 'loss' ? t('plot.training') : '';
}

function percentOfCore(value: number): string {
  return formatNumber(value / 100, { style: 'percent', maximumFractionDigits: value < 10 ? 1 : 0 });
}
