import type { CompletionReport, PositionKind } from '../../src/protocol/completionReport.js';
import { element } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import { DotPlot } from '../plots/dotPlot.js';
import { formatScore } from './format.js';
import type { PlotSection } from '../plots/plotSection.js';

/** How often each arm is exact, for each kind of position. */
export function kindsSection({ arms }: CompletionReport): PlotSection {
  const kinds = arms[0]?.byKind ?? [];
  const scoreOf = (arm: number, kind: PositionKind) => arms[arm]!.byKind.find((each) => each.kind === kind)!.scores.exactMatch;
  const plot = new DotPlot({
    title: t('report.byKind'),
    rows: kinds.map(({ kind }) => t(`kind.${kind}`)),
    series: arms.map(({ name }, arm) => ({ name, style: arm, dots: kinds.map(({ kind }) => ({ value: scoreOf(arm, kind) })) })),
    format: (value) => formatNumber(value, { style: 'percent', maximumFractionDigits: 0 }),
    range: [0, 1],
  });
  const head = [t('report.kind'), t('report.count'), ...arms.map(({ name }) => name)];
  const rows = kinds.map(({ kind, positions }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, t(`kind.${kind}`)),
      element('td', {}, formatNumber(positions)),
      ...arms.map((_, arm) => element('td', {}, formatScore('exactMatch', scoreOf(arm, kind)))),
    ),
  );
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
    element('tbody', {}, ...rows),
  );
  const scroller = element(
    'div',
    { class: 'report-table', tabindex: 0, role: 'region', 'aria-label': t('report.byKind') },
    table,
  );
  return {
    root: element('section', {}, plot.root, element('details', {}, element('summary', {}, t('report.asTable')), scroller)),
    plots: [plot],
  };
}
