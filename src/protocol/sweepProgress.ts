/** @file How far a sweep has come. */
import { isOver } from './runs.js';
import type { SweepReport, SweepRow } from './sweep.js';

/** Whether Resume goes on with it: it was stopped or has failed, but halving did not leave it. */
export function isResumable({ status, leftAtStep }: SweepRow): boolean {
  return leftAtStep === null && isOver(status) && status !== 'finished';
}

export interface SweepProgress {
  readonly done: number;
  readonly failed: number;
  readonly left: number;
  /** Share of the steps, 0 to 1; those of runs that were left count as done. */
  readonly share: number;
  /** Undefined before there is a pace, and when nothing is ahead. */
  readonly secondsLeft: number | undefined;
}

export function progressOf({ rows }: SweepReport): SweepProgress {
  const [known = 0] = rows.map(({ totalSteps }) => totalSteps).filter((steps) => steps > 0);
  const total = (row: SweepRow) => row.totalSteps || known;
  const remaining = rows.map((row) => (isOver(row.status) ? 0 : Math.max(0, total(row) - row.step)));
  const [steps, left] = [sum(rows.map(total)), sum(remaining)];
  const timed = rows.filter(({ seconds, step }) => seconds !== null && step > 0);
  const pace = sum(timed.map(({ seconds }) => seconds!)) / sum(timed.map(({ step }) => step));
  return {
    done: rows.filter(({ status }) => status === 'finished').length,
    failed: rows.filter(({ status }) => status === 'failed').length,
    left: rows.filter(({ leftAtStep }) => leftAtStep !== null).length,
    share: steps === 0 ? 0 : 1 - left / steps,
    secondsLeft: left > 0 && Number.isFinite(pace) ? left * pace : undefined,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
