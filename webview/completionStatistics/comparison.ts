import { preferenceOf, type Preference } from '../../src/protocol/completionStatistics.js';
import { wilsonInterval } from '../../src/protocol/wilsonInterval.js';
import type { NamedComparison, NamedCounts } from '../../src/protocol/views/completionStatistics.js';
import { DotPlot } from '../plots/dotPlot.js';
import { button, element } from '../shared/dom.js';
import { post } from '../shared/host.js';
import type { PlotSection } from '../plots/plotSection.js';
import { formatNumber, formatTime, t } from '../shared/text.js';

/** Who was preferred in a blind comparison, in a sentence and as intervals. `canGoOn` while no other one is going on. */
export function comparisonSection({ startedAt, first, second }: NamedComparison, canGoOn: boolean): PlotSection {
  const arms = [first, second] as const;
  const preference = preferenceOf(arms);
  const plot = acceptedPlot(arms);
  const next = preference?.isSure ? useButton(arms[preference.preferred]) : canGoOn ? goOnButton(startedAt) : null;
  const root = element(
    'section',
    { class: 'blind-comparison' },
    element('h2', {}, t('statistics.comparison', first.name, second.name)),
    element('p', { class: 'muted' }, t('statistics.comparison.begun', formatTime(new Date(startedAt).toISOString()))),
    ...(preference ? verdict(preference, arms[preference.preferred]) : [element('p', {}, t('statistics.one'))]),
    plot.root,
    next && element('div', {}, next),
  );
  return { root, plots: [plot] };
}

function verdict({ probability, isSure, difference, interval }: Preference, { name }: NamedCounts): readonly HTMLElement[] {
  const chance = formatNumber(Math.min(probability, 0.999), { style: 'percent', maximumSignificantDigits: 3 });
  return [
    element('p', { class: 'verdict' }, t(isSure ? 'statistics.sure' : 'statistics.unsure', name, chance)),
    element('p', { class: 'muted' }, t('statistics.difference', points(difference), points(interval[0]), points(interval[1]))),
  ];
}

function useButton({ name, model, adapter }: NamedCounts): HTMLElement {
  return button({
    label: t('statistics.use', name),
    onClick: () => {
      post({ type: 'useWriter', model, adapter });
    },
  });
}

function goOnButton(startedAt: number): HTMLElement {
  return button({
    label: t('statistics.goOn'),
    onClick: () => {
      post({ type: 'goOnComparing', startedAt });
    },
  });
}

function acceptedPlot(arms: readonly NamedCounts[]): DotPlot {
  const intervals = arms.map(({ accepted, shown }) => wilsonInterval(accepted, shown));
  const greatest = Math.max(...intervals.map(([, high]) => high));
  return new DotPlot({
    title: t('statistics.share'),
    rows: [t('statistics.accepted')],
    series: arms.map(({ name, accepted, shown }, index) => ({
      name: `${name} (${formatNumber(accepted)} / ${formatNumber(shown)})`,
      style: index,
      dots: [shown === 0 ? undefined : { value: accepted / shown, interval: intervals[index]! }],
    })),
    format: (share) => formatNumber(share, { style: 'percent', maximumFractionDigits: 0 }),
    range: [0, Math.min(1, 1.1 * greatest)],
  });
}

function points(share: number): string {
  return formatNumber(100 * share, { maximumFractionDigits: 0 });
}
