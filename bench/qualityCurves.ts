/**
 * Draws the training losses that bench/quality.ts printed: of each base every seed thin, and their mean thick, smoothed as in
 * the panel.
 *   npx tsx bench/quality.ts … > quality.jsonl; npx tsx bench/qualityCurves.ts quality.jsonl > docs/images/quality.svg
 */
import { readFileSync } from 'node:fs';
import { Column } from '../webview/plots/column.js';
import { Smoothed } from '../webview/plots/smoothing.js';

interface Training {
  readonly base: string;
  readonly losses: readonly number[];
}

/** The weight of what came before. */
const smoothing = 0.9;

const size = { width: 760, height: 320, left: 52, right: 16, top: 36, bottom: 36 };
const styles: Record<string, string> = { fp32: 'stroke="#2a6fdb"', int8: 'stroke="#d9730d" stroke-dasharray="6 3"' };

function main(): void {
  const lines = readFileSync(process.argv[2]!, 'utf8').trim().split('\n');
  console.log(drawing(lines.map((line) => JSON.parse(line) as Training)));
}

function drawing(trainings: readonly Training[]): string {
  const curves = trainings.map(({ base, losses }) => ({ base, losses: smoothed(losses) }));
  const steps = Math.max(...curves.map(({ losses }) => losses.length));
  const all = curves.flatMap(({ losses }) => losses);
  const [lowest, highest] = [Math.floor(Math.min(...all) * 4) / 4, Math.ceil(Math.max(...all) * 4) / 4];
  const x = (step: number): number => size.left + ((step - 1) / (steps - 1)) * (size.width - size.left - size.right);
  const y = (loss: number): number => size.top + ((highest - loss) / (highest - lowest)) * (size.height - size.top - size.bottom);
  const line = (losses: readonly number[], style: string): string =>
    `<polyline fill="none" ${style} points="${losses.map((loss, at) => `${x(at + 1).toFixed(1)},${y(loss).toFixed(1)}`).join(' ')}"/>`;

  const bases = Object.keys(styles).filter((base) => curves.some((curve) => curve.base === base));
  const grid = ticks(lowest, highest, (highest - lowest) * 4).flatMap((loss) => [
    `<path stroke="#ddd" d="M${size.left} ${y(loss).toFixed(1)}H${size.width - size.right}"/>`,
    `<text text-anchor="end" x="${size.left - 8}" y="${(y(loss) + 4).toFixed(1)}">${loss.toFixed(2)}</text>`,
  ]);
  const stepTicks = ticks(0, steps, 4).map(
    (step) =>
      `<text text-anchor="middle" x="${x(Math.max(step, 1)).toFixed(1)}" y="${size.height - 16}">${Math.round(step)}</text>`,
  );
  const drawn = bases.flatMap((base) => {
    const ofBase = curves.filter((curve) => curve.base === base).map(({ losses }) => losses);
    const mean = ofBase[0]!.map((_, at) => ofBase.reduce((sum, losses) => sum + losses[at]!, 0) / ofBase.length);
    return [
      ...ofBase.map((losses) => line(losses, `${styles[base]} opacity="0.3"`)),
      line(mean, `${styles[base]} stroke-width="2"`),
    ];
  });
  const legend = bases.flatMap((base, at) => [
    `<path fill="none" stroke-width="2" ${styles[base]} d="M${size.left + at * 110} 18h28"/>`,
    `<text x="${size.left + 34 + at * 110}" y="22">${base} base</text>`,
  ]);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${size.height}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...grid,
    ...stepTicks,
    ...drawn,
    ...legend,
    '</svg>',
  ].join('\n');
}

function ticks(from: number, to: number, parts: number): number[] {
  return Array.from({ length: parts + 1 }, (_, at) => from + ((to - from) * at) / parts);
}

function smoothed(losses: readonly number[]): number[] {
  const column = new Column();
  losses.forEach((loss) => column.push(loss));
  const average = new Smoothed(column, smoothing).update(smoothing);
  return losses.map((_, step) => average.at(step));
}

main();
