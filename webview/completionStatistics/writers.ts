import { lookedAtAfter } from '../../src/protocol/completionStatistics.js';
import { wilsonInterval } from '../../src/protocol/wilsonInterval.js';
import type { NamedCounts } from '../../src/protocol/views/completionStatistics.js';
import { element } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';

/** The numbers of each writer, with bars for what is a share. */
export function writersSection(writers: readonly NamedCounts[]): HTMLElement {
  const titles = [
    t('statistics.writer'),
    t('statistics.shown'),
    t('statistics.accepted'),
    t('statistics.words'),
    ...lookedAtAfter.map((seconds) => t('statistics.kept', seconds)),
  ];
  const table = element(
    'table',
    { class: 'writers' },
    element('thead', {}, element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)))),
    element('tbody', {}, ...writers.map((writer) => row(writer, titles))),
  );
  const scroller = element(
    'div',
    { class: 'report-table', tabindex: 0, role: 'region', 'aria-label': t('statistics.writers') },
    table,
  );
  return element(
    'section',
    {},
    element('h2', {}, t('statistics.writers')),
    scroller,
    element('p', { class: 'muted' }, t('statistics.keptHelp')),
  );
}

/** Where there is no room for all columns, each cell shows its title itself. */
function row(
  { name, model, adapter, shown, accepted, acceptedWords, kept }: NamedCounts,
  titles: readonly string[],
): HTMLElement {
  const [low, high] = wilsonInterval(accepted, shown).map(percent);
  const help = t('statistics.acceptedOf', formatNumber(accepted), formatNumber(shown), low!, high!);
  const cells = [
    element('td', {}, formatNumber(shown)),
    shareCell(shown === 0 ? null : accepted / shown, help),
    element('td', {}, formatNumber(acceptedWords)),
    ...kept.map((each) => shareCell(each.lookedAt === 0 ? null : each.kept / each.lookedAt, null)),
  ];
  cells.forEach((cell, index) => (cell.dataset['title'] = titles[index + 1]!));
  return element('tr', {}, element('th', { scope: 'row', title: adapter ?? model }, name), ...cells);
}

function shareCell(share: number | null, help: string | null): HTMLElement {
  if (share === null) return element('td', { class: 'share muted' }, t('statistics.notYet'));
  const meter = element('meter', { min: 0, max: 1, value: share, 'aria-hidden': 'true' });
  return element('td', { class: 'share', title: help }, meter, element('span', {}, percent(share)));
}

function percent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 0 });
}
