/** @file Values in named rows, with intervals where there are any: a dot for each series, a whisker for its interval. */
import { CategoryScale, Chart, LinearScale, PointElement, ScatterController, type ChartDataset, type Plugin } from 'chart.js';
import { element } from '../shared/dom.js';
import { whenViewEnds } from '../shared/lifetime.js';
import { t } from '../shared/text.js';
import { readTheme, type Theme } from '../shared/theme.js';
import { shapeOf, swatch } from '../plots/pointStyle.js';

Chart.register(ScatterController, PointElement, LinearScale, CategoryScale);

export interface DotSeries {
  readonly name: string;
  /** Decides colour and shape. */
  readonly style: number;
  /** One for each row; undefined if the row has none. */
  readonly dots: readonly (Dot | undefined)[];
}

export interface Dot {
  readonly value: number;
  readonly interval?: readonly [number, number];
}

interface DotPlotOptions {
  /** What is shown, and what the axis counts. */
  readonly title: string;
  readonly rows: readonly string[];
  readonly series: readonly DotSeries[];
  readonly format: (value: number) => string;
  /** Where the axis starts and ends, if not with the values. */
  readonly range?: readonly [number, number];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A row has room for all series, and some more to the next row. */
function rowHeight(series: number): number {
  return Math.max(34, 13 * series + 12);
}

export class DotPlot {
  readonly root: HTMLElement;
  private readonly canvas = element('canvas', { role: 'img' });
  private chart: Chart<'scatter', Point[]> | undefined;

  constructor(private readonly options: DotPlotOptions) {
    const { title, rows, series } = options;
    const legend = series.map(({ name, style }) => element('li', {}, swatch(style), element('span', {}, name)));
    const area = element('div', { class: 'dot-area' }, this.canvas);
    area.style.height = `${rows.length * rowHeight(series.length) + 32}px`;
    this.canvas.setAttribute('aria-label', this.summary());
    this.root = element(
      'figure',
      { class: 'dot-plot' },
      element(
        'figcaption',
        {},
        element('span', { class: 'plot-title' }, title),
        element('ul', { class: 'dot-legend' }, ...legend),
      ),
      area,
    );
    whenViewEnds(() => this.chart?.destroy());
  }

  /** Draws in the colours of the theme. */
  draw(): void {
    const theme = readTheme();
    this.chart?.destroy();
    const { rows, series, format, range } = this.options;
    const font = { family: theme.fontFamily, size: 11 };
    const ticks = { color: theme.foreground, font };
    this.chart = new Chart(this.canvas, {
      type: 'scatter',
      data: { datasets: series.map((each, index) => this.dataset(each, index, theme)) },
      plugins: [zeroLine(theme), this.whiskers(theme)],
      options: {
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        events: [],
        layout: { padding: { right: 12 } },
        scales: {
          x: {
            ...(range ? { min: range[0], max: range[1] } : this.wholeRange()),
            border: { display: false },
            grid: { color: theme.grid },
            ticks: {
              ...ticks,
              color: theme.mutedForeground,
              maxTicksLimit: 7,
              includeBounds: false,
              callback: (value) => format(Number(value)),
            },
          },
          y: {
            min: -0.5,
            max: rows.length - 0.5,
            reverse: true,
            border: { display: false },
            grid: { display: false },
            afterBuildTicks: (scale) => {
              scale.ticks = rows.map((_, value) => ({ value }));
            },
            ticks: { ...ticks, autoSkip: false, callback: (value) => rows[Number(value)] ?? '' },
          },
        },
      },
    });
  }

  private dataset({ style, dots }: DotSeries, index: number, theme: Theme): ChartDataset<'scatter', Point[]> {
    const color = theme.palette[style % theme.palette.length]!;
    return {
      data: dots.flatMap((dot, row) => (dot ? [{ x: dot.value, y: this.place(row, index) }] : [])),
      pointStyle: shapeOf(style),
      pointRadius: 5,
      pointBorderColor: color,
      pointBackgroundColor: theme.highContrast ? theme.background : color,
      pointBorderWidth: 2,
      clip: 8,
    };
  }

  /** Series share a row, one above the other. */
  private place(row: number, index: number): number {
    const { length } = this.options.series;
    return row + (index - (length - 1) / 2) * Math.min(0.26, 0.8 / length);
  }

  private wholeRange(): { readonly min: number; readonly max: number } {
    const values = this.options.series.flatMap(({ dots }) =>
      dots.flatMap((dot) => (dot ? [dot.value, ...(dot.interval ?? [])] : [])),
    );
    const [min, max] = [Math.min(0, ...values), Math.max(0, ...values)];
    const margin = 0.08 * (max - min || 1);
    return { min: min - margin, max: max + margin };
  }

  private whiskers(theme: Theme): Plugin<'scatter'> {
    return {
      id: 'whiskers',
      beforeDatasetsDraw: ({ ctx, scales }) => {
        this.options.series.forEach(({ dots, style }, index) => {
          ctx.strokeStyle = theme.palette[style % theme.palette.length]!;
          ctx.lineWidth = 2;
          dots.forEach((dot, row) => {
            if (!dot?.interval) return;
            const y = scales['y']!.getPixelForValue(this.place(row, index));
            const [left, right] = dot.interval.map((value) => scales['x']!.getPixelForValue(value)) as [number, number];
            ctx.beginPath();
            ctx.moveTo(left, y);
            ctx.lineTo(right, y);
            for (const end of [left, right]) {
              ctx.moveTo(end, y - 4);
              ctx.lineTo(end, y + 4);
            }
            ctx.stroke();
          });
        });
      },
    };
  }

  private summary(): string {
    const { title, rows, series, format } = this.options;
    const read = ({ value, interval }: Dot) =>
      interval ? `${format(value)} (${t('report.range', format(interval[0]), format(interval[1]))})` : format(value);
    const lines = series.flatMap(({ name, dots }) =>
      dots.flatMap((dot, row) => (dot ? [`${name}, ${rows[row]!}: ${read(dot)}`] : [])),
    );
    return t('plot.summary', title, lines.join('; '));
  }
}

/** Nothing is gained and nothing lost. */
function zeroLine({ foreground }: Theme): Plugin<'scatter'> {
  return {
    id: 'zeroLine',
    beforeDatasetsDraw: ({ ctx, scales, chartArea: { top, bottom } }) => {
      const x = Math.round(scales['x']!.getPixelForValue(0)) + 0.5;
      ctx.strokeStyle = foreground;
      ctx.lineWidth = 1;
      ctx.beginPath();
      ctx.moveTo(x, top);
      ctx.lineTo(x, bottom);
      ctx.stroke();
    },
  };
}
