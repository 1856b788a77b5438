/** @file A sweep's report in words. */
import type { LossDifference, SweepReport, SweepRow } from '../protocol/sweep.js';
import { bytes, duration, integer, tableOf } from './format.js';

export function sweepTable({ rows, baseLoss, recommendation }: SweepReport): string {
  const withCompletion = rows.some(({ completion }) => completion !== null);
  const header = ['', 'steps', 'held-out loss', 'to the best', 'parameters', 'time', 'tokens/s', 'memory'];
  const completionHeader = withCompletion ? ['exact match, %', 'edit similarity, %'] : [];
  return tableOf([
    [...header, ...completionHeader],
    ...rows.map((row, index) => [
      `${index === recommendation?.take ? '→' : ' '} ${row.name}`,
      progressInWords(row),
      row.heldOutLoss?.toFixed(4) ?? '',
      index === recommendation?.best ? 'best' : row.toBest ? differenceInWords(row.toBest) : '',
      row.trainableParameters > 0 ? integer(row.trainableParameters) : '',
      row.seconds === null ? '' : duration(row.seconds),
      row.tokensPerSecond === null ? '' : integer(row.tokensPerSecond),
      row.peakMemoryBytes === null ? '' : bytes(row.peakMemoryBytes),
      ...completionHeader.map((_, column) => shareInWords(row.completion?.[column === 0 ? 'exactMatch' : 'editSimilarity'])),
    ]),
    ...(baseLoss === null
      ? []
      : [['  base', '', baseLoss.toFixed(4), ...header.slice(3).map(() => ''), ...completionHeader.map(() => '')]]),
  ]);
}

export function progressInWords({ status, step, totalSteps, leftAtStep }: SweepRow): string {
  if (leftAtStep !== null) return `left after ${leftAtStep}`;
  if (status === 'finished') return String(step);
  return step > 0 ? `${status} ${step}/${totalSteps}` : status;
}

export function recommendationInWords({ rows, recommendation, isComplete }: SweepReport): string {
  if (!recommendation) return 'No run has been trained to its end and measured, so there is none to recommend.';
  const [take, best] = [rows[recommendation.take]!, rows[recommendation.best]!];
  const isAlone = rows.filter(({ toBest }) => toBest !== null).length === 1;
  const sentence = `Take ${take.name}: ${isAlone ? 'no other run was trained to its end' : reason(take, best)}.`;
  const doubt = recommendation.isUncertain
    ? ' The held-out data is too little to tell any run from the best; hold out more to be sure.'
    : '';
  return isComplete ? sentence + doubt : `${sentence}${doubt} Not all runs have ended, so this may change.`;
}

function reason(take: SweepRow, best: SweepRow): string {
  if (take === best) return 'it has the lowest held-out loss';
  const difference = `its held-out loss cannot be told from that of ${best.name} (${differenceInWords(take.toBest!)})`;
  if (take.trainableParameters === best.trainableParameters) return `${difference}, and it is faster`;
  const share = Math.ceil((100 * take.trainableParameters) / best.trainableParameters);
  return `${difference}, at ${share} % of the parameters`;
}

function differenceInWords({ difference, halfInterval }: LossDifference): string {
  const text = `${difference < 0 ? '−' : '+'}${Math.abs(difference).toFixed(4)}`;
  return halfInterval === null ? text : `${text} ± ${halfInterval.toFixed(4)}`;
}

function shareInWords(value: number | undefined): string {
  return value === undefined ? '' : (100 * value).toFixed(1);
}
