/** @file The loss curve of a run as an SVG file, on a ground of its own so that it can be read on any page. */
import { smooth, type LossCurve, type LossPoint } from '../lossCurve.js';

const [width, height] = [720, 320];
const plot = { left: 56, right: 704, top: 40, bottom: 280 };
const colours = { training: '#2563eb', heldOut: '#d97706', text: '#374151', grid: '#e5e7eb' };
/** More points than pixels would show nothing more. */
const maxPoints = 400;

/** Training loss, smoothed, and the held-out loss where it was measured. Null if there is no curve to draw. */
export function lossPicture({ points, heldOut }: LossCurve): string | null {
  if (points.length < 2) return null;
  const training = thinned(smooth(points));
  const place = placement([...training, ...heldOut]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" fill="${colours.text}">`,
    '<title>Loss by step</title>',
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    ...place.lossTicks.map((loss) => gridLine(place.y(loss), loss)),
    ...place.stepTicks.map((step) => text(place.x(step), plot.bottom + 20, 'middle', String(step))),
    text((plot.left + plot.right) / 2, height - 4, 'middle', 'step'),
    line(training, place, colours.training),
    legend(0, colours.training, 'training loss, smoothed'),
    ...(heldOut.length > 0 ? heldOutMarks(heldOut, place) : []),
    '</svg>',
    '',
  ].join('\n');
}

/** Where steps and losses lie in the picture. */
interface Placement {
  readonly x: (step: number) => number;
  readonly y: (loss: number) => number;
  readonly stepTicks: readonly number[];
  readonly lossTicks: readonly number[];
}

function placement(points: readonly LossPoint[]): Placement {
  const [firstStep, lastStep] = range(points.map(({ step }) => step));
  const [lowest, highest] = range(points.map(({ loss }) => loss));
  const [low, high] = highest > lowest ? [lowest, highest] : [lowest - 0.5, highest + 0.5];
  return {
    x: (step) => plot.left + ((plot.right - plot.left) * (step - firstStep)) / Math.max(1, lastStep - firstStep),
    y: (loss) => plot.bottom - ((plot.bottom - plot.top) * (loss - low)) / (high - low),
    stepTicks: ticks(firstStep, lastStep, 6).filter(Number.isInteger),
    lossTicks: ticks(low, high, 4),
  };
}

/** Round numbers between two values: 1, 2 or 5 times a power of ten apart, about `count` of them. */
function ticks(low: number, high: number, count: number): number[] {
  const rough = Math.max(high - low, Number.EPSILON) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const apart = [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough)!;
  const first = Math.ceil(low / apart);
  return Array.from({ length: Math.floor(high / apart) - first + 1 }, (_, index) =>
    Number(((first + index) * apart).toPrecision(12)),
  );
}

function thinned(points: readonly LossPoint[]): LossPoint[] {
  const every = Math.max(1, Math.ceil(points.length / maxPoints));
  return points.filter((_, index) => index % every === 0 || index === points.length - 1);
}

function line(points: readonly LossPoint[], { x, y }: Placement, colour: string): string {
  const places = points.map(({ step, loss }) => `${pixels(x(step))},${pixels(y(loss))}`).join(' ');
  return `<polyline points="${places}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
}

function heldOutMarks(heldOut: readonly LossPoint[], place: Placement): string[] {
  const dots = heldOut.map(
    ({ step, loss }) =>
      `<circle cx="${pixels(place.x(step))}" cy="${pixels(place.y(loss))}" r="3.5" fill="${colours.heldOut}"><title>step ${step}: ${loss.toFixed(4)}</title></circle>`,
  );
  return [line(heldOut, place, colours.heldOut), ...dots, legend(200, colours.heldOut, 'held-out loss')];
}

function gridLine(y: number, loss: number): string {
  const ruler = `<path d="M${plot.left} ${pixels(y)}H${plot.right}" stroke="${colours.grid}"/>`;
  return ruler + text(plot.left - 8, y + 4, 'end', String(loss));
}

function legend(offset: number, colour: string, name: string): string {
  const left = plot.left + offset;
  return `<path d="M${left} 20h20" stroke="${colour}" stroke-width="2"/>${text(left + 28, 24, 'start', name)}`;
}

function text(x: number, y: number, anchor: 'start' | 'middle' | 'end', content: string): string {
  return `<text x="${pixels(x)}" y="${pixels(y)}" text-anchor="${anchor}">${content}</text>`;
}

function range(values: readonly number[]): [number, number] {
  return values.reduce<[number, number]>(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
}

function pixels(value: number): string {
  return value.toFixed(1);
}
