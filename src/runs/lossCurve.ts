import type { Metric } from '../protocol/run.js';

export interface LossPoint {
  readonly step: number;
  readonly loss: number;
}

export interface LossCurve {
  /** Ordered by step; steps need not be contiguous. */
  readonly points: readonly LossPoint[];
  readonly heldOut: readonly LossPoint[];
}

/** Splits the contents of metrics.jsonl into two curves. */
export function lossCurve(metrics: readonly Metric[]): LossCurve {
  return {
    points: metrics.flatMap((metric) => ('loss' in metric ? [metric] : [])),
    heldOut: metrics.flatMap((metric) => ('eval_loss' in metric ? [{ step: metric.step, loss: metric.eval_loss }] : [])),
  };
}

/** Centred mean over about a fifteenth of the run, because single batches differ too much to show a trend. */
export function smooth(points: readonly LossPoint[]): LossPoint[] {
  const reach = Math.floor(points.length / 30);
  const sums = [0]; // sums[i]: the first i losses
  for (const { loss } of points) sums.push(sums.at(-1)! + loss);
  return points.map(({ step }, index) => {
    const [start, end] = [Math.max(0, index - reach), Math.min(points.length, index + reach + 1)];
    return { step, loss: (sums[end]! - sums[start]!) / (end - start) };
  });
}
