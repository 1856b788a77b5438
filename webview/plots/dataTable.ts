import { element } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import type { StepRange } from './chartConfig.js';
import { valueAt } from './legend.js';
import type { PlotLine } from './lines.js';

const maxRows = 100;

/** What the plot shows, as a table: the steps in view, thinned out evenly if there are too many for a table. */
export function dataTable(title: string, lines: readonly PlotLine[], range: StepRange): HTMLTableElement {
  const listed = lines.filter((line) => line.kind !== 'faint');
  const header = element('tr', {}, columnHeader(t('plot.stepColumn')), ...listed.map((line) => columnHeader(line.name || title)));
  const rows = tableSteps(listed, range).map((step) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, formatNumber(step)),
      ...listed.map((line) => element('td', {}, cell(line, step))),
    ),
  );
  return element(
    'table',
    {},
    element('caption', { class: 'visually-hidden' }, title),
    element('thead', {}, header),
    element('tbody', {}, ...rows),
  );
}

function columnHeader(text: string): HTMLElement {
  return element('th', { scope: 'col' }, text);
}

/** Evaluations happen at few steps; at the others their cell stays empty. */
function cell(line: PlotLine, step: number): string {
  const index = line.steps.nearest(step);
  const exact = index !== undefined && line.steps.at(index) === step;
  const value = line.kind === 'line' || exact ? valueAt(line, step) : undefined;
  return value === undefined ? '' : line.format(value);
}

function tableSteps(lines: readonly PlotLine[], [first, last]: StepRange): number[] {
  const steps = new Set<number>();
  for (const { steps: column } of lines) {
    const from = column.lowerBound(first);
    const to = column.lowerBound(last + 1);
    const stride = Math.max(1, Math.ceil((to - from) / maxRows));
    for (let index = from; index < to; index += stride) steps.add(column.at(index));
    if (to > from) steps.add(column.at(to - 1));
  }
  return [...steps].sort((a, b) => b - a);
}
