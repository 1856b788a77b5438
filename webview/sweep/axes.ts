/** @file What the runs' losses can be plotted against, and which runs are one series there. */
import type { SettingValue, SettingValues, SweepReport, SweepRow } from '../../src/protocol/sweep.js';
import { printNumber } from '../../src/protocol/printNumber.js';
import { formatBytes, formatCompact, formatDuration, settingTitle, t } from '../shared/text.js';
import { settingsInWords, valueInWords } from './words.js';

export interface Axis {
  readonly id: string;
  readonly title: string;
  readonly isLogarithmic: boolean;
  /** Places to name; null leaves that to the chart. */
  readonly ticks: readonly number[] | null;
  readonly valueOf: (row: SweepRow) => number | null;
  readonly format: (value: number) => string;
  /** What tells the series apart: all varied settings but the one on the axis. */
  readonly seriesOf: (row: SweepRow) => string;
}

/** With more values than this, the chart chooses which to name. */
const maxTicks = 10;

/** First the varied settings, then what a run costs. */
export function axesOf({ settings, rows }: SweepReport): readonly Axis[] {
  const costs = [
    cost('parameters', rows, formatCompact, ({ trainableParameters }) => trainableParameters),
    cost('time', rows, formatDuration, ({ seconds }) => seconds),
    cost('memory', rows, formatBytes, ({ peakMemoryBytes }) => peakMemoryBytes),
  ];
  return [...settings.map((setting) => settingAxis(setting, rows)), ...costs];
}

function settingAxis(setting: string, rows: readonly SweepRow[]): Axis {
  const values = rows.map(({ settings }) => settings[setting] ?? null);
  const common = { id: setting, title: settingTitle(setting.split('.')), seriesOf: without(setting) };
  if (values.every((value) => typeof value === 'number')) {
    const numbers = [...new Set(values)];
    const valueOf = ({ settings }: SweepRow) => settings[setting] as number;
    return { ...common, ...scaleOf(numbers, numbers), valueOf, format: printNumber };
  }
  const keys = [...new Set(values.map(keyOf))];
  const words = keys.map((key) => valueInWords(values.find((value) => keyOf(value) === key)!));
  return {
    ...common,
    isLogarithmic: false,
    ticks: keys.map((_, index) => index),
    valueOf: ({ settings }) => keys.indexOf(keyOf(settings[setting] ?? null)),
    format: (value) => words[value] ?? '',
  };
}

function cost(
  id: 'parameters' | 'time' | 'memory',
  rows: readonly SweepRow[],
  format: (value: number) => string,
  valueOf: (row: SweepRow) => number | null,
): Axis {
  const values = rows.flatMap((row) => valueOf(row) ?? []);
  const ticks = id === 'parameters' ? [...new Set(values)] : null;
  const [first] = rows;
  const [setting] = Object.keys(first?.settings ?? {});
  return { id, title: t(`sweep.axis.${id}`), ...scaleOf(values, ticks), valueOf, format, seriesOf: without(setting ?? '') };
}

function scaleOf(values: readonly number[], ticks: readonly number[] | null): Pick<Axis, 'isLogarithmic' | 'ticks'> {
  const isLogarithmic = values.length > 0 && Math.min(...values) > 0 && Math.max(...values) >= 4 * Math.min(...values);
  return { isLogarithmic, ticks: ticks && ticks.length <= maxTicks ? [...ticks].sort((a, b) => a - b) : null };
}

function without(setting: string): (row: SweepRow) => string {
  return ({ settings }) => settingsInWords(rest(settings, setting));
}

function rest(settings: SettingValues, setting: string): SettingValues {
  return Object.fromEntries(Object.entries(settings).filter(([name]) => name !== setting));
}

function keyOf(value: SettingValue): string {
  return JSON.stringify(value);
}
