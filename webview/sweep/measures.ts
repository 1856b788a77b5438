/** @file What is measured of each run: its loss on held-out data and, once evaluated, how well its adapter completes code. */
import type { SweepReport, SweepRow } from '../../src/protocol/sweep.js';
import { formatScore } from '../completionReport/format.js';
import { t } from '../shared/text.js';
import { formatLoss } from './words.js';

export interface Measure {
  readonly id: 'loss' | CompletionMeasure;
  readonly title: string;
  readonly help: string;
  readonly valueOf: (row: SweepRow) => number | null;
  /** Half of the 95 % interval of the difference to the best run; 0 if there is none. */
  readonly halfIntervalOf: (row: SweepRow) => number;
  readonly format: (value: number) => string;
}

type CompletionMeasure = (typeof completionMeasures)[number];
const completionMeasures = ['exactMatch', 'editSimilarity', 'bitsPerByte'] as const;

export function loss(): Measure {
  return {
    id: 'loss',
    title: t('sweep.column.loss'),
    help: t('sweep.column.loss.help'),
    valueOf: ({ heldOutLoss }) => heldOutLoss,
    halfIntervalOf: ({ toBest }) => toBest?.halfInterval ?? 0,
    format: formatLoss,
  };
}

/** None before an evaluation. */
export function completionScores({ rows }: SweepReport): readonly Measure[] {
  if (!rows.some(({ completion }) => completion)) return [];
  return completionMeasures.map((metric) => ({
    id: metric,
    title: t(`metric.${metric}`),
    help: t(`metric.${metric}.help`),
    valueOf: ({ completion }) => completion?.[metric] ?? null,
    halfIntervalOf: () => 0,
    format: (value) => formatScore(metric, value),
  }));
}
