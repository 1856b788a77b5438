/** @file Exports plots and their numbers; the host asks where to save. */
import { post } from '../shared/host.js';
import type { Theme } from '../shared/theme.js';
import { stepMeasures, type Measured } from './runSeries.js';
import type { BoardRun } from './lines.js';
import type { Plot } from './plot.js';

const margin = 12;
const titleHeight = 24;

/** Puts all charts into one picture, one below the other, on the theme's background. */
export function exportPng(plots: readonly Plot[], theme: Theme): void {
  const scale = devicePixelRatio;
  const canvas = document.createElement('canvas');
  const shown = plots.filter((plot) => !plot.root.hidden && plot.canvas.width > 0 && plot.canvas.height > 0);
  canvas.width = Math.max(...shown.map((plot) => plot.canvas.width)) + 2 * margin * scale;
  canvas.height = shown.reduce((height, plot) => height + plot.canvas.height + (titleHeight + margin) * scale, margin * scale);
  const context = canvas.getContext('2d');
  if (!context || shown.length === 0) return;
  context.fillStyle = theme.background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = theme.foreground;
  context.font = `${13 * scale}px ${theme.fontFamily}`;
  let top = margin * scale;
  for (const plot of shown) {
    context.fillText(plot.title, margin * scale, top + 15 * scale);
    context.drawImage(plot.canvas, margin * scale, top + titleHeight * scale);
    top += plot.canvas.height + (titleHeight + margin) * scale;
  }
  const content = canvas.toDataURL('image/png').replace(/^data:image\/png;base64,/, '');
  post({ type: 'export', format: 'png', name: 'training-plots.png', content });
}

/** One row for each logged step and each evaluation of each run. */
export function exportCsv(runs: readonly BoardRun[]): void {
  const rows = [['run', 'step', ...stepMeasures, 'eval_loss'].join(',')];
  for (const { name, series } of runs) {
    const run = csvField(name);
    for (let index = 0; index < series.steps.length; index++) {
      const step = series.steps.at(index);
      const values = stepMeasures.map((measure) => valueMeasured(series.measures[measure], step));
      rows.push([run, step, ...values, ''].join(','));
    }
    for (let index = 0; index < series.evalSteps.length; index++) {
      rows.push([run, series.evalSteps.at(index), ...stepMeasures.map(() => ''), series.evalLoss.at(index)].join(','));
    }
  }
  post({ type: 'export', format: 'csv', name: 'training-metrics.csv', content: `${rows.join('\n')}\n` });
}

function valueMeasured({ steps, values }: Measured, step: number): number | '' {
  const index = steps.nearest(step);
  return index !== undefined && steps.at(index) === step ? values.at(index) : '';
}

/** Quoted if needed; a leading = + - @ would be a formula in a spreadsheet. */
function csvField(text: string): string {
  const harmless = /^[=+\-@]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
