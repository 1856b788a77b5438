/** @file How Chart.js draws our lines: decimated beforehand, without animation, in the theme's colours. */
import {
  Chart,
  LinearScale,
  LineController,
  LineElement,
  LogarithmicScale,
  PointElement,
  type ChartConfiguration,
  type ChartDataset,
  type Plugin,
  type ScaleOptionsByType,
} from 'chart.js';
import { color as parseColor } from 'chart.js/helpers';
import zoomPlugin from 'chartjs-plugin-zoom';
import { formatCompact, formatValue } from '../shared/text.js';
import type { Theme } from '../shared/theme.js';
import { decimate } from './decimate.js';
import { dashPatterns, type PlotDefinition, type PlotLine } from './lines.js';

Chart.register(LineController, LineElement, PointElement, LinearScale, LogarithmicScale, zoomPlugin);

interface Point {
  readonly x: number;
  readonly y: number;
}
export type LineChart = Chart<'line', Point[]>;
type Dataset = ChartDataset<'line', Point[]>;

/** First and last step in view. */
export type StepRange = readonly [number, number];

/** With more points than this, markers would only be a smear on the line. */
const maxMarkers = 120;

/** The part of the line in the range, plus one point beyond each end so that it runs off the edge. */
export function visiblePoints(line: PlotLine, [first, last]: StepRange, pixels: number, logarithmic: boolean): Point[] {
  const from = Math.max(0, line.steps.lowerBound(first) - 1);
  const to = Math.min(line.values.length, line.steps.lowerBound(last) + 2);
  return decimate(line.values, from, to, pixels).map((index) => {
    const y = line.values.at(index);
    return { x: line.steps.at(index), y: logarithmic && y <= 0 ? Number.NaN : y };
  });
}

export function lineDataset(line: PlotLine, points: Point[], theme: Theme): Dataset {
  const full = theme.palette[line.color]!;
  const stroke =
    line.kind === 'faint'
      ? parseColor(full)
          .alpha(theme.highContrast ? 0.5 : 0.28)
          .rgbString()
      : full;
  const marked = line.kind === 'evaluation' || points.length === 1;
  return {
    data: points,
    borderColor: stroke,
    borderWidth: line.kind === 'faint' ? 1 : 2,
    borderDash: line.kind === 'faint' ? [] : [...dashPatterns[line.dash]!],
    // Markers at the ends of the range are not clipped.
    clip: marked ? 4 : 0,
    pointStyle: 'circle',
    pointRadius: marked && points.length <= maxMarkers ? 3 : 0,
    pointBorderColor: stroke,
    pointBackgroundColor: theme.highContrast ? theme.background : stroke,
    spanGaps: true,
    order: line.kind === 'faint' ? 1 : 0,
  };
}

export function chartConfiguration(
  compact: boolean,
  onRange: (range: StepRange) => void,
  onResize: () => void,
  overlay: Plugin<'line'>,
): ChartConfiguration<'line', Point[]> {
  const report = ({ chart }: { chart: Chart }) => {
    const { min, max } = chart.scales['x']!;
    onRange([min, max]);
  };
  return {
    type: 'line',
    data: { datasets: [] },
    plugins: [overlay],
    options: {
      animation: false,
      parsing: false,
      normalized: true,
      responsive: true,
      maintainAspectRatio: false,
      events: [],
      onResize,
      layout: { padding: { top: 6, right: 6 } },
      elements: { line: { borderJoinStyle: 'round', tension: 0 } },
      plugins: {
        zoom: compact
          ? {}
          : {
              zoom: {
                mode: 'x',
                drag: { enabled: true, threshold: 6 },
                wheel: { enabled: true, modifierKey: 'ctrl' },
                onZoom: report,
              },
              pan: { enabled: true, mode: 'x', modifierKey: 'shift', onPan: report },
            },
      },
    },
  };
}

export function scaleOptions(
  theme: Theme,
  [min, max]: StepRange,
  { logarithmic, fromZero, format }: Pick<PlotDefinition, 'logarithmic' | 'fromZero' | 'format'>,
  compact: boolean,
) {
  const font = { family: theme.fontFamily, size: 11 };
  const ticks = { color: theme.mutedForeground, font, maxRotation: 0, autoSkipPadding: 14 };
  const border = { color: theme.grid };
  return {
    x: {
      type: 'linear',
      min,
      max,
      border,
      grid: { display: false },
      ticks: {
        ...ticks,
        maxTicksLimit: compact ? 4 : 9,
        includeBounds: false,
        callback: (value: string | number) => (max >= 10_000 ? formatCompact : formatValue)(Number(value)),
      },
    },
    y: {
      type: logarithmic ? 'logarithmic' : 'linear',
      beginAtZero: fromZero,
      border: { display: false },
      grid: { color: theme.grid, lineWidth: theme.highContrast ? 0.5 : 1 },
      ticks: {
        ...ticks,
        maxTicksLimit: compact ? 4 : 6,
        callback: (value: string | number) => format(Number(value)),
      },
    },
  } satisfies {
    x: DeepPartial<ScaleOptionsByType<'linear'>>;
    y: DeepPartial<ScaleOptionsByType<'linear' | 'logarithmic'>>;
  };
}

type DeepPartial<T> = T extends (...args: never[]) => unknown ? T : T extends object ? { [K in keyof T]?: DeepPartial<T[K]> } : T;
