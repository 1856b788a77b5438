import { blue, plot, yellow } from 'asciichart';
import { smooth, type LossCurve } from '../runs/lossCurve.js';

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

/** Interpolates linearly between the points; beyond the ends, takes the nearest point. */
function sample(points: LossCurve['points'], steps: readonly number[]): number[] {
  let after = 0;
  return steps.map((step) => {
    while (after < points.length && points[after]!.step < step) after++;
    if (after === 0 || after === points.length) return points.at(after === 0 ? 0 : -1)!.loss;
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
