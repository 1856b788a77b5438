/** @file How a run is going, judged by its metrics alone: every judgement compares means with the noise of their values. */
import type { Column } from '../plots/column.js';
import type { RunSeries } from '../plots/runSeries.js';

export type Course =
  /** The learning rate is still rising. */
  | { readonly kind: 'warmingUp' }
  | { readonly kind: 'early' }
  /** Training loss: `from` a while ago (its lowest, if it diverges), `to` recently. */
  | { readonly kind: 'falling' | 'flat' | 'diverging'; readonly from: number; readonly to: number }
  /** Held-out loss: `from` is the best before the last evaluation, `to` is the last. */
  | { readonly kind: 'heldOutFalling'; readonly from: number; readonly to: number }
  /** Held-out loss: `from` is its best, `to` is now. */
  | { readonly kind: 'overfitting'; readonly step: number; readonly from: number; readonly to: number };

/** Number of logged steps averaged to see through the noise of single batches. */
const minTogether = 5;
const maxTogether = 100;
/** Standard errors beyond which a difference is significant; an alarm takes more. */
const clear = 2;
const alarming = 3;
/** The loss has come apart once it is this many times its lowest. */
const comeApart = 1.2;
/** Relative changes of the held-out loss that count as worse and as better. */
const worse = 0.02;
const better = 0.005;

export function courseOf(series: RunSeries): Course {
  const { values: loss } = series.measures.loss;
  const size = Math.min(maxTogether, Math.floor(loss.length / 4));
  if (size < minTogether) return isWarmingUp(series) ? { kind: 'warmingUp' } : { kind: 'early' };
  const recent = windowEnding(loss, loss.length, size);
  const lowest = lowestWindow(loss, size);
  const overLowest = recent.mean - lowest.mean;
  if (overLowest > alarming * errorOf(recent, lowest) && recent.mean > comeApart * lowest.mean)
    return { kind: 'diverging', from: lowest.mean, to: recent.mean };
  if (isWarmingUp(series)) return { kind: 'warmingUp' };
  const heldOut = overfitting(series, recent, size);
  if (heldOut) return heldOut;
  const before = windowEnding(loss, loss.length - size, size);
  const falls = before.mean - recent.mean > clear * errorOf(before, recent);
  const training = { from: before.mean, to: recent.mean };
  if (falls) return { kind: 'falling', ...training };
  return heldOutFalling(series) ?? { kind: 'flat', ...training };
}

/** No schedule raises the learning rate except during its warm-up. */
function isWarmingUp({ measures }: RunSeries): boolean {
  const { values } = measures.learning_rate;
  return values.length >= 2 && values.at(values.length - 1) > values.at(values.length - 2);
}

/** The held-out loss has been above its best for two or more evaluations, while the training loss is no higher than then. */
function overfitting({ evalSteps, evalLoss, steps, measures }: RunSeries, recent: Window, size: number): Course | undefined {
  if (evalLoss.length < 3) return undefined;
  const [best] = evalLoss.extremes(0, evalLoss.length);
  if (evalLoss.length - 1 - best < 2) return undefined;
  const [step, from, previous, to] = [evalSteps.at(best), evalLoss.at(best), evalLoss.at(evalLoss.length - 2), evalLoss.last!];
  if (Math.min(previous, to) <= from * (1 + worse)) return undefined;
  const then = windowEnding(measures.loss.values, Math.max(size, steps.lowerBound(step + 1)), size);
  if (recent.mean > then.mean + clear * errorOf(recent, then)) return undefined;
  return { kind: 'overfitting', step, from, to };
}

/** The last evaluation is the best of all, by more than a negligible amount. */
function heldOutFalling({ evalLoss }: RunSeries): Course | undefined {
  if (evalLoss.length < 2) return undefined;
  const [bestBefore] = evalLoss.extremes(0, evalLoss.length - 1);
  const [from, to] = [evalLoss.at(bestBefore), evalLoss.last!];
  return to < from * (1 - better) ? { kind: 'heldOutFalling', from, to } : undefined;
}

interface Window {
  readonly mean: number;
  /** Variance of the mean, from the spread of the values. */
  readonly variance: number;
}

function errorOf(a: Window, b: Window): number {
  return Math.sqrt(a.variance + b.variance);
}

function windowEnding(values: Column, end: number, size: number): Window {
  let sum = 0;
  for (let index = end - size; index < end; index++) sum += values.at(index);
  const mean = sum / size;
  let squares = 0;
  for (let index = end - size; index < end; index++) squares += (values.at(index) - mean) ** 2;
  return { mean, variance: squares / (size - 1) / size };
}

/** The lowest of the adjacent windows that end with the last value. */
function lowestWindow(values: Column, size: number): Window {
  let lowest = windowEnding(values, values.length, size);
  for (let end = values.length - size; end >= size; end -= size) {
    const window = windowEnding(values, end, size);
    if (window.mean < lowest.mean) lowest = window;
  }
  return lowest;
}

/** What changed over a run that has ended. */
export type Outcome =
  /** The held-out loss before the first step, after the last, and at its best. */
  | {
      readonly kind: 'heldOut';
      readonly before: number;
      readonly after: number;
      readonly best: number;
      readonly bestStep: number;
    }
  /** Without held-out data: the training loss at the beginning and at the end. */
  | { readonly kind: 'training'; readonly before: number; readonly after: number };

/** Undefined if the run was too short to tell. */
export function outcomeOf(series: RunSeries): Outcome | undefined {
  const { evalSteps, evalLoss, best, measures } = series;
  if (best) {
    const isBefore = evalSteps.at(0) === 0 && evalLoss.length > 1;
    return isBefore
      ? { kind: 'heldOut', before: evalLoss.at(0), after: evalLoss.last!, best: best.loss, bestStep: best.step }
      : undefined;
  }
  const { values } = measures.loss;
  const size = Math.min(maxTogether, Math.floor(values.length / 4));
  if (size < minTogether) return undefined;
  return {
    kind: 'training',
    before: windowEnding(values, size, size).mean,
    after: windowEnding(values, values.length, size).mean,
  };
}
