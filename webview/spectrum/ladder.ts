import type { AdapterSpectrum, RankLoss, RankLossReport } from '../../src/protocol/spectrum.js';
import { button, element } from '../shared/dom.js';
import { formatNumber, formatPercent, formatValue, t } from '../shared/text.js';

/** What lower ranks keep, and what they cost if that was measured. */
export function ladderSection(
  { ladder, model }: AdapterSpectrum,
  losses: RankLossReport | null,
  busy: boolean,
  onMeasure: () => void,
): HTMLElement {
  const measure = button({ label: t('spectrum.ladder.measure'), onClick: onMeasure });
  measure.disabled = busy || model === null;
  const lossOf = (rank: number) => losses?.losses.find((each) => each.rank === rank);
  const titles = [t('spectrum.rank'), t('spectrum.energyKept')];
  if (losses) titles.push(t('spectrum.ladder.loss'), t('spectrum.ladder.difference'));
  const rows = ladder.map(({ rank, energyKept }) =>
    row(formatNumber(rank), formatPercent(energyKept), lossOf(rank), rank === ladder[0]!.rank),
  );
  const base = lossOf(0);
  if (base) rows.push(row(t('spectrum.ladder.base'), formatPercent(0), base, false));
  return element(
    'section',
    { class: 'ladder' },
    element('h2', {}, t('spectrum.ladder')),
    element(
      'table',
      { class: 'figures-table' },
      element('thead', {}, element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)))),
      element('tbody', {}, ...rows),
    ),
    losses ? element('p', { class: 'muted' }, measuredOn(losses)) : measure,
    element('p', { class: 'muted' }, t(model === null ? 'spectrum.noBase' : 'spectrum.ladder.help')),
  );
}

function row(name: string, energy: string, loss: RankLoss | undefined, isWhole: boolean): HTMLElement {
  const measured = loss
    ? [element('td', {}, formatValue(loss.loss)), element('td', {}, isWhole ? '–' : differenceText(loss))]
    : [];
  return element('tr', {}, element('th', { scope: 'row' }, name), element('td', {}, energy), ...measured);
}

function differenceText({ difference, halfInterval }: RankLoss): string {
  const text = formatNumber(difference, { signDisplay: 'exceptZero', maximumFractionDigits: 4 });
  return halfInterval === null ? text : `${text} ± ${formatNumber(halfInterval, { maximumFractionDigits: 4 })}`;
}

function measuredOn({ tokens, examples, engine }: RankLossReport): string {
  return t('spectrum.ladder.measured', formatNumber(tokens), formatNumber(examples), engine);
}
