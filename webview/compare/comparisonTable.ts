import type { RunSummary } from '../../src/protocol/backend.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { allSettingPaths, valueAt } from '../shared/settings.js';
import { runLook, type BoardRun } from '../plots/lines.js';
import { swatch } from '../plots/legend.js';
import { statusWord } from '../runs/runStatus.js';
import { element } from '../shared/dom.js';
import { formatDuration, formatNumber, formatSetting, formatValue, settingHelp, settingTitle, t } from '../shared/text.js';

interface ComparedRun extends BoardRun {
  readonly summary: RunSummary;
  /** undefined until it came. */
  readonly config: RunConfig | undefined;
}

interface Row {
  readonly title: string;
  readonly help: string;
  readonly cells: readonly string[];
}

/** Results first, then the settings that differ (or all of them); one column for each run. */
export function comparisonTable(runs: readonly ComparedRun[], allSettings: boolean): HTMLTableElement {
  const settings = settingRows(runs).filter(({ cells }) => allSettings || new Set(cells).size > 1);
  const head = element(
    'tr',
    {},
    element('td'),
    ...runs.map(({ name, runId }, index) =>
      element('th', { scope: 'col', title: runId }, swatch({ ...runLook(index), kind: 'line' }), name),
    ),
  );
  return element(
    'table',
    {},
    element('thead', {}, head),
    element('tbody', {}, ...resultRows(runs).map(row)),
    element('tbody', {}, ...settings.map(row)),
  );
}

function row({ title, help, cells }: Row): HTMLElement {
  return element(
    'tr',
    {},
    element('th', { scope: 'row', title: help || null }, title),
    ...cells.map((cell) => element('td', {}, cell)),
  );
}

function resultRows(runs: readonly ComparedRun[]): Row[] {
  const result = (title: string, cell: (run: ComparedRun) => string): Row => ({
    title,
    help: '',
    cells: runs.map(cell),
  });
  return [
    result(t('compare.status'), ({ summary }) => statusWord(summary.state.status)),
    result(t('compare.steps'), ({ summary: { state } }) =>
      t('run.steps', formatNumber(state.step), formatNumber(state.totalSteps)),
    ),
    result(t('figure.bestEvalLoss'), ({ series }) =>
      series.best ? t('compare.atStep', formatValue(series.best.loss), formatNumber(series.best.step)) : '–',
    ),
    result(t('compare.lastLoss'), ({ summary }) => (summary.lastStep ? formatValue(summary.lastStep.loss) : '–')),
    result(t('estimate.parameters'), ({ summary }) => formatNumber(summary.state.trainableParameters)),
    result(t('compare.time'), ({ summary }) =>
      summary.lastStep ? formatDuration(summary.lastStep.elapsed_seconds) : '–',
    ),
  ];
}

function settingRows(runs: readonly ComparedRun[]): Row[] {
  return allSettingPaths().map((path) => ({
    title: settingTitle(path),
    help: settingHelp(path),
    cells: runs.map(({ config }) => (config ? formatSetting(valueAt(config, path)) : '…')),
  }));
}
