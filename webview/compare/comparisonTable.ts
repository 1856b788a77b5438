import type { RunSummary } from '../../src/protocol/backend.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { allSettingPaths, valueAt } from '../shared/settings.js';
import { runLineStyle, type BoardRun } from '../plots/lines.js';
import { swatch } from '../plots/legend.js';
import { statusWord } from '../runs/runStatus.js';
import { element, icon } from '../shared/dom.js';
import { formatDuration, formatNumber, formatSetting, formatValue, settingHelp, settingTitle, t } from '../shared/text.js';

interface ComparedRun extends BoardRun {
  readonly summary: RunSummary;
  /** Undefined until it has arrived. */
  readonly config: RunConfig | undefined;
}

interface ComparedColumn {
  readonly title: string;
  readonly help: string;
  /** One per run. */
  readonly cells: readonly string[];
  /** Index of the run that is best in this; undefined if there is no better or worse. */
  readonly best?: number | undefined;
}

/** One row for each run: its results, then the settings that differ (or all of them). */
export function comparisonTable(runs: readonly ComparedRun[], allSettings: boolean): HTMLTableElement {
  const settings = settingColumns(runs).filter(({ cells }) => allSettings || new Set(cells).size > 1);
  const columns = [...resultColumns(runs), ...settings];
  const head = columns.map(({ title, help }) => element('th', { scope: 'col', title: help || null }, title));
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, element('td'), ...head)),
    element('tbody', {}, ...runs.map((run, index) => row(run, index, columns))),
  );
}

function row({ name, runId }: ComparedRun, index: number, columns: readonly ComparedColumn[]): HTMLElement {
  const style = swatch({ ...runLineStyle(index), kind: 'line' });
  return element(
    'tr',
    {},
    element('th', { scope: 'row', title: runId }, style, name),
    ...columns.map(({ cells, best }) => cell(cells[index]!, best === index)),
  );
}

function cell(text: string, best: boolean): HTMLElement {
  if (!best) return element('td', {}, text);
  const mark = icon('star-full');
  mark.title = t('compare.best');
  return element('td', { class: 'best' }, text, ' ', mark);
}

function resultColumns(runs: readonly ComparedRun[]): ComparedColumn[] {
  const result = (title: string, text: (run: ComparedRun) => string): ComparedColumn => ({
    title,
    help: '',
    cells: runs.map(text),
  });
  return [
    {
      ...result(t('figure.bestEvalLoss'), ({ series }) =>
        series.best ? t('compare.atStep', formatValue(series.best.loss), formatNumber(series.best.step)) : '–',
      ),
      best: minimum(runs.map(({ series }) => series.best?.loss)),
    },
    result(t('compare.lastLoss'), ({ summary }) => (summary.lastStep ? formatValue(summary.lastStep.loss) : '–')),
    result(t('compare.status'), ({ summary }) => statusWord(summary.state.status)),
    result(t('compare.steps'), ({ summary: { state } }) =>
      t('run.steps', formatNumber(state.step), formatNumber(state.totalSteps)),
    ),
    result(t('estimate.parameters'), ({ summary }) => formatNumber(summary.state.trainableParameters)),
    result(t('compare.time'), ({ summary }) => (summary.lastStep ? formatDuration(summary.lastStep.elapsed_seconds) : '–')),
  ];
}

/** The index of the lowest of several values; a single value is not a best. */
function minimum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length > 1 ? values.indexOf(Math.min(...known)) : undefined;
}

function settingColumns(runs: readonly ComparedRun[]): ComparedColumn[] {
  return allSettingPaths().map((path) => ({
    title: settingTitle(path),
    help: settingHelp(path),
    cells: runs.map(({ config }) => (config ? formatSetting(valueAt(config, path)) : '…')),
  }));
}
