/** @file What became of suggestions: blind comparisons, and the numbers of each writer, as they are counted. */
import type { CompletionStatisticsState, RunningComparison } from '../../src/protocol/views/completionStatistics.js';
import { button, element } from '../shared/dom.js';
import { oncePerFrame } from '../shared/frame.js';
import { post, startView, type Receiver } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';
import { onThemeChange } from '../shared/theme.js';
import { comparisonSection } from './comparison.js';
import { writersSection } from './writers.js';

function openStatistics(state: CompletionStatisticsState): Receiver<'completionStatistics'> {
  let shown = state;
  const counting = element('input', {
    type: 'checkbox',
    change: () => {
      post({ type: 'setCounting', counting: counting.checked });
    },
  });
  const wipe = button({
    label: t('statistics.wipe'),
    icon: 'trash',
    onClick: () => {
      post({ type: 'wipeStatistics' });
    },
  });
  const head = element(
    'header',
    { class: 'panel-header' },
    element('h1', {}, t('statistics.title')),
    element('span', { class: 'spacer' }),
    element('label', { class: 'inline-control' }, counting, element('span', {}, t('statistics.counting'))),
    wipe,
  );
  const content = element('div', { class: 'statistics-content' });
  const intro = element('p', { class: 'muted' }, t('statistics.local'));
  document.body.append(
    element('main', { class: 'report-page statistics', 'aria-label': t('statistics.title') }, head, intro, content),
  );

  const draw = () => {
    const { writers, comparisons, running } = shown;
    counting.checked = shown.counting;
    // Without counting, a comparison would go on for nothing.
    counting.disabled = running !== null;
    wipe.hidden = isEmpty(shown);
    const sections = comparisons.map((each) => comparisonSection(each, running === null));
    content.replaceChildren(
      ...(running ? [runningBanner(running)] : []),
      ...(isEmpty(shown) ? [emptyState(shown)] : []),
      ...sections.map(({ root }) => root),
      ...(writers.length > 0 ? [writersSection(writers)] : []),
    );
    for (const plot of sections.flatMap(({ plots }) => plots)) plot.draw();
  };
  const drawSoon = oncePerFrame(draw);
  draw();
  onThemeChange(drawSoon);
  return ({ statistics }) => {
    shown = statistics;
    drawSoon();
  };
}

function isEmpty({ writers, comparisons, running }: CompletionStatisticsState): boolean {
  return writers.length === 0 && comparisons.length === 0 && running === null;
}

function emptyState({ counting }: CompletionStatisticsState): HTMLElement {
  const text = t(counting ? 'statistics.none' : 'statistics.none.off');
  const help = element('p', { class: 'muted' }, t('statistics.none.help'));
  return element('div', { class: 'empty-state' }, element('p', {}, text), counting ? help : null);
}

/** Nothing here tells who writes. */
function runningBanner({ names, shown, accepted }: RunningComparison): HTMLElement {
  const [first = '', second = ''] = names;
  const stop = button({
    label: t('statistics.stop'),
    kind: 'primary',
    onClick: () => {
      post({ type: 'stopComparison' });
    },
  });
  return element(
    'div',
    { class: 'banner' },
    element('p', {}, element('strong', {}, t('statistics.running', first, second))),
    element('p', {}, t('statistics.running.counts', formatNumber(shown), formatNumber(accepted))),
    element('div', { class: 'banner-buttons' }, stop),
  );
}

startView('completionStatistics', openStatistics);
