/** @file A measure of the runs, with the intervals of their differences to the best if known, against what the user chooses. */
import {
  Chart,
  LinearScale,
  LineElement,
  LogarithmicScale,
  PointElement,
  ScatterController,
  type ChartDataset,
  type Plugin,
} from 'chart.js';
import type { SweepReport, SweepRow } from '../../src/protocol/sweep.js';
import { shapeOf, swatch } from '../plots/pointStyle.js';
import { element, setText } from '../shared/dom.js';
import { whenViewEnds } from '../shared/lifetime.js';
import { showChoices } from '../shared/select.js';
import { t } from '../shared/text.js';
import { readTheme, type Theme } from '../shared/theme.js';
import { axesOf, type Axis } from './axes.js';
import { completionScores, loss, type Measure } from './measures.js';
import { runInWords } from './words.js';

Chart.register(ScatterController, PointElement, LineElement, LinearScale, LogarithmicScale);

interface Point {
  readonly x: number;
  readonly y: number;
  readonly halfInterval: number;
  /** Names it and its value. */
  readonly words: string;
  readonly row: SweepRow;
}

interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

/** With more series, lines between their points would only be a tangle. */
const maxLines = 8;

export class ResultPlot {
  readonly root: HTMLElement;
  private readonly title = element('h2', {});
  private readonly measureChoice = element('select', { 'aria-label': t('sweep.plot.measure') });
  private readonly measureControl = element('label', { class: 'inline-control' }, this.measureChoice);
  private readonly axisChoice = element('select', { 'aria-label': t('sweep.plot.axis') });
  private readonly legend = element('ul', { class: 'dot-legend' });
  private readonly empty = element('p', { class: 'muted' }, t('sweep.plot.empty'));
  private readonly note = element('p', { class: 'muted' });
  private readonly canvas = element('canvas', { role: 'img' });
  private readonly area = element('div', { class: 'sweep-plot-area' }, this.canvas);
  private chart: Chart<'scatter', Point[]> | undefined;
  private drawn = '';

  constructor(onChoice: (choice: { measure: string } | { axis: string }) => void) {
    this.measureChoice.addEventListener('change', () => {
      onChoice({ measure: this.measureChoice.value });
    });
    this.axisChoice.addEventListener('change', () => {
      onChoice({ axis: this.axisChoice.value });
    });
    this.canvas.addEventListener('pointermove', (event) => {
      this.read(event);
    });
    const head = element(
      'header',
      { class: 'panel-header' },
      this.title,
      this.measureControl,
      element('label', { class: 'inline-control' }, element('span', {}, t('sweep.plot.by')), this.axisChoice),
    );
    this.root = element('section', {}, head, this.legend, this.empty, this.area, this.note);
    whenViewEnds(() => this.chart?.destroy());
  }

  /** Draws if anything has changed; `anew` because the colours have. */
  show(report: SweepReport, chosen: { readonly measure: string; readonly axis: string }, anew = false): void {
    const measures = [loss(), ...completionScores(report)];
    const measure = showChosen(this.measureChoice, measures, chosen.measure);
    const axis = showChosen(this.axisChoice, axesOf(report), chosen.axis);
    this.measureControl.hidden = measures.length === 1;
    this.title.hidden = measures.length > 1;
    setText(this.title, measure.title);
    const series = seriesOf(report, measure, axis);
    const signature = JSON.stringify([measure.id, axis.id, series, report.recommendation]);
    if (signature === this.drawn && !anew) return;
    this.drawn = signature;
    const points = series.flatMap((each) => each.points);
    this.empty.hidden = points.length > 0;
    this.area.hidden = points.length === 0;
    this.note.hidden = points.length === 0;
    this.legend.hidden = series.length < 2;
    this.legend.replaceChildren(
      ...series.map(({ name }, index) => element('li', { title: name }, swatch(index), element('span', {}, name))),
    );
    this.canvas.setAttribute('aria-label', summary(measure, axis, points));
    this.note.replaceChildren(notes(report, points).join(' '));
    if (points.length > 0) this.draw(report, measure, axis, series);
  }

  private draw(report: SweepReport, measure: Measure, axis: Axis, series: readonly Series[]): void {
    const theme = readTheme();
    this.chart?.destroy();
    const font = { family: theme.fontFamily, size: 11 };
    const ticks = { color: theme.mutedForeground, font, maxRotation: 0, autoSkipPadding: 14 };
    const points = series.flatMap((each) => each.points);
    const { recommendation, rows } = report;
    const taken = recommendation ? rows[recommendation.take] : undefined;
    this.chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: series.map((each, index) => dataset(each, index, series.length, theme)) },
      plugins: [
        whiskers(theme),
        ring(
          points.find(({ row }) => row === taken),
          theme,
        ),
      ],
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { top: 10, right: 16 } },
        scales: {
          x: {
            type: axis.isLogarithmic ? 'logarithmic' : 'linear',
            ...horizontalRange(axis, points),
            border: { color: theme.grid },
            grid: { display: false },
            ticks: {
              ...ticks,
              autoSkip: true,
              includeBounds: false,
              callback: (value) => axis.format(Number(value)),
            },
            ...(axis.ticks
              ? {
                  afterBuildTicks: (scale) => {
                    scale.ticks = axis.ticks!.map((value) => ({ value }));
                  },
                }
              : {}),
          },
          y: {
            ...verticalRange(points),
            border: { display: false },
            grid: { color: theme.grid, lineWidth: theme.highContrast ? 0.5 : 1 },
            ticks: { ...ticks, maxTicksLimit: 7, includeBounds: false, callback: (value) => measure.format(Number(value)) },
          },
        },
      },
    });
  }

  /** Names the point under the pointer. */
  private read({ offsetX, offsetY }: PointerEvent): void {
    const near = 14;
    const { chart } = this;
    const { x, y } = chart?.scales ?? {};
    if (!chart || !x || !y) return;
    const found = chart.data.datasets
      .flatMap(({ data }) => data)
      .find((point) => Math.hypot(x.getPixelForValue(point.x) - offsetX, y.getPixelForValue(point.y) - offsetY) < near);
    this.canvas.title = found?.words ?? '';
  }
}

function seriesOf({ rows }: SweepReport, measure: Measure, axis: Axis): readonly Series[] {
  const points = new Map<string, Point[]>();
  for (const row of rows) {
    const x = axis.valueOf(row);
    const name = axis.seriesOf(row);
    const series = points.get(name) ?? [];
    points.set(name, series);
    const y = measure.valueOf(row);
    if (x === null || y === null) continue;
    series.push({ x, y, halfInterval: measure.halfIntervalOf(row), words: pointInWords(row, measure), row });
  }
  return [...points].map(([name, found]) => ({ name, points: found.sort((a, b) => a.x - b.x) }));
}

/** Filled when a run was trained to its end, hollow while its loss is one on the way. */
function dataset({ points }: Series, index: number, seriesCount: number, theme: Theme): ChartDataset<'scatter', Point[]> {
  const color = theme.palette[index % theme.palette.length]!;
  return {
    data: [...points],
    showLine: seriesCount <= maxLines,
    borderColor: color,
    borderWidth: 1.5,
    pointStyle: shapeOf(index),
    pointRadius: 5,
    pointBorderColor: color,
    pointBackgroundColor: points.map(({ row }) => (row.toBest ? color : theme.background)),
    pointBorderWidth: 2,
    clip: 12,
  };
}

function whiskers(theme: Theme): Plugin<'scatter'> {
  return {
    id: 'whiskers',
    beforeDatasetsDraw: ({ ctx, scales, data }) => {
      data.datasets.forEach(({ data: points }, index) => {
        ctx.strokeStyle = theme.palette[index % theme.palette.length]!;
        ctx.lineWidth = 2;
        for (const { x, y, halfInterval } of points as unknown as readonly Point[]) {
          if (halfInterval === 0) continue;
          const center = scales['x']!.getPixelForValue(x);
          const [top, bottom] = [y + halfInterval, y - halfInterval].map((value) => scales['y']!.getPixelForValue(value)) as [
            number,
            number,
          ];
          ctx.beginPath();
          ctx.moveTo(center, top);
          ctx.lineTo(center, bottom);
          for (const end of [top, bottom]) {
            ctx.moveTo(center - 4, end);
            ctx.lineTo(center + 4, end);
          }
          ctx.stroke();
        }
      });
    },
  };
}

/** Around the run to take. */
function ring(point: Point | undefined, theme: Theme): Plugin<'scatter'> {
  return {
    id: 'ring',
    afterDatasetsDraw: ({ ctx, scales }) => {
      if (!point) return;
      ctx.strokeStyle = theme.foreground;
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.arc(scales['x']!.getPixelForValue(point.x), scales['y']!.getPixelForValue(point.y), 11, 0, 2 * Math.PI);
      ctx.stroke();
    },
  };
}

function horizontalRange({ isLogarithmic }: Axis, points: readonly Point[]): { readonly min: number; readonly max: number } {
  const values = points.map(({ x }) => x);
  const [min, max] = [Math.min(...values), Math.max(...values)];
  if (isLogarithmic) {
    const margin = max > min ? (max / min) ** 0.06 : 2;
    return { min: min / margin, max: max * margin };
  }
  const margin = 0.06 * (max - min) || Math.abs(max) / 2 || 1;
  return { min: min - margin, max: max + margin };
}

function verticalRange(points: readonly Point[]): { readonly min: number; readonly max: number } {
  const ends = points.flatMap(({ y, halfInterval }) => [y - halfInterval, y + halfInterval]);
  const [min, max] = [Math.min(...ends), Math.max(...ends)];
  const margin = 0.1 * (max - min) || 0.01;
  return { min: min - margin, max: max + margin };
}

function notes({ recommendation }: SweepReport, points: readonly Point[]): string[] {
  return [
    ...(recommendation ? [t('sweep.plot.ring')] : []),
    ...(points.some(({ row }) => !row.toBest) ? [t('sweep.plot.hollow')] : []),
    ...(points.some(({ halfInterval }) => halfInterval > 0) ? [t('sweep.plot.whiskers')] : []),
  ];
}

function pointInWords(row: SweepRow, { valueOf, halfIntervalOf, format }: Measure): string {
  const halfInterval = halfIntervalOf(row);
  const interval = halfInterval > 0 ? ` ± ${format(halfInterval)}` : '';
  return `${runInWords(row)}: ${format(valueOf(row)!)}${interval}`;
}

function summary(measure: Measure, axis: Axis, points: readonly Point[]): string {
  const title = t('sweep.plot.summary', measure.title, axis.title);
  return t('plot.summary', title, points.map(({ words }) => words).join('; '));
}

/** Offers all, and returns the chosen one, or the first if that is not known. */
function showChosen<Choice extends { readonly id: string; readonly title: string }>(
  select: HTMLSelectElement,
  choices: readonly Choice[],
  chosen: string,
): Choice {
  const choice = choices.find(({ id }) => id === chosen) ?? choices[0]!;
  showChoices(
    select,
    choices.map(({ id, title }) => ({ value: id, label: title })),
    choice.id,
  );
  return choice;
}
