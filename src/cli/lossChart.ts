import { blue, plot, yellow } from 'asciichart';
import type { Metric } from '../protocol/run.js';

export interface LossCurve {
  /** Ordered by step; steps need not be contiguous. */
  readonly points: readonly { readonly step: number; readonly loss: number }[];
  readonly heldOut: readonly { readonly step: number; readonly loss: number }[];
}

/** Splits the contents of metrics.jsonl into two curves. */
export function lossCurve(metrics: readonly Metric[]): LossCurve {
  return {
    points: metrics.flatMap((metric) => ('loss' in metric ? [metric] : [])),
    heldOut: metrics.flatMap((metric) => ('eval_loss' in metric ? [{ step: metric.step, loss: metric.eval_loss }] : [])),
  };
}

/** Draws the curves as text, `width` columns wide: smoothed training loss and, if colours can tell them apart, held-out loss. */
export function lossChart({ points, heldOut }: LossCurve, width: number, colour: boolean): string {
  const first = Math.min(points[0]!.step, heldOut[0]?.step ?? Infinity);
  const last = points.at(-1)!.step;
  const columns = Math.max(10, width - axisWidth);
  const steps = Array.from({ length: columns }, (_, column) => first + ((last - first) * column) / (columns - 1));
  const both = colour && heldOut.length > 1;
  const series = [sample(smooth(points), steps), ...(both ? [sample(heldOut, steps)] : [])];
  const chart = plot(series, {
    height: 10,
    offset: 3,
    format: (value) => value.toFixed(2).padStart(axisWidth - 2),
    colors: colour ? [blue, yellow] : [],
  });
  return [chart, axis(first, last, columns), legend(both)].join('\n');
}

const axisWidth = 8;
const reset = '\u001b[0m';

/** Centred mean over about a fifteenth of the run, because single batches differ too much to show a trend. */
function smooth(points: LossCurve['points']): LossCurve['points'] {
  const reach = Math.floor(points.length / 30);
  const sums = [0]; // sums[i]: the first i losses
  for (const { loss } of points) sums.push(sums.at(-1)! + loss);
  return points.map(({ step }, index) => {
    const [start, end] = [Math.max(0, index - reach), Math.min(points.length, index + reach + 1)];
    return { step, loss: (sums[end]! - sums[start]!) / (end - start) };
  });
}

/** Interpolates linearly between the points; beyond the ends, takes the nearest point. */
function sample(points: LossCurve['points'], steps: readonly number[]): number[] {
  return steps.map((step) => {
    const after = points.findIndex((point) => point.step >= step);
    if (after <= 0) return points.at(after)!.loss;
    const [left, right] = [points[after - 1]!, points[after]!];
    return left.loss + ((right.loss - left.loss) * (step - left.step)) / (right.step - left.step);
  });
}

function axis(first: number, last: number, columns: number): string {
  const [left, right] = [`step ${first}`, `step ${last}`];
  return ' '.repeat(axisWidth) + left + right.padStart(Math.max(1, columns - left.length));
}

function legend(both: boolean): string {
  const names = both
    ? `${blue}── training loss, smoothed${reset}   ${yellow}── held-out loss${reset}`
    : 'training loss, smoothed';
  return ' '.repeat(axisWidth) + names;
}
