/** @file What an adapter gives away of its training text: the headline, how it was probed, and every case. */
import type { Leak, LeakReport } from '../../src/protocol/leakProbe.js';
import { isLeakReportState, type LeakReportState, type ShownLeakReport } from '../../src/protocol/views/leakReport.js';
import { casePlace, caseText, openingCase } from '../shared/cases.js';
import { button, element, icon } from '../shared/dom.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';

/** Probing takes minutes, so the page remembers what it shows over a reload of the window. */
function openLeakReport(state: LeakReportState): Receiver<'leakReport'> {
  const { shown } = state.shown ? state : rememberedViewState(isLeakReportState, { shown: null });
  rememberViewState({ shown });
  const content = shown ? reportSections(shown) : [element('div', { class: 'empty-state' }, element('p', {}, t('leaks.gone')))];
  document.body.append(element('main', { class: 'report-page', 'aria-label': t('leaks.title') }, ...content));
  return () => undefined;
}

function reportSections({ name, report }: ShownLeakReport): readonly HTMLElement[] {
  const { prefixTokens, seed, engine, leaks } = report;
  const isClean = leaks.length === 0;
  const head = element(
    'header',
    { class: 'report-headline' },
    element('p', { class: 'muted', title: report.run }, name),
    element('h1', { class: isClean ? 'clean' : 'leaking' }, icon(isClean ? 'pass' : 'warning'), headline(report)),
    figures(report),
    element('p', { class: 'muted' }, t('leaks.how', formatNumber(prefixTokens), String(seed), engine)),
  );
  if (isClean) return [head];
  const list = element('div', { class: 'case-list leaks' }, ...leaks.map(leakCase));
  return [head, element('section', {}, element('h2', {}, t('leaks.cases')), list)];
}

function headline({ leaks, reproduced, probed, matchTokens }: LeakReport): string {
  const places = formatNumber(probed);
  if (leaks.length === 0) return t(reproduced === 0 ? 'leaks.none' : 'leaks.onlyBase', places);
  const key = leaks.length === 1 ? 'leaks.found.one' : 'leaks.found';
  return t(key, formatNumber(leaks.length), places, formatNumber(matchTokens));
}

function figures({ rate, interval, probed, places, reproduced, byBaseAlso }: LeakReport): HTMLElement {
  const [low, high] = interval;
  const rows: readonly (readonly [string, string])[] = [
    [t('leaks.rate'), t('leaks.rate.value', percent(rate), percent(low), percent(high))],
    [t('leaks.probed'), t('leaks.probed.value', formatNumber(probed), formatNumber(places))],
    [t('leaks.reproduced'), formatNumber(reproduced)],
    [t('leaks.byBase'), formatNumber(byBaseAlso)],
  ];
  const cells = rows.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value)));
  return element('dl', { class: 'figures' }, ...cells);
}

function leakCase(leak: Leak): HTMLElement {
  const summary = [
    casePlace(leak.origin),
    caseText(leak.text),
    element('span', { class: 'case-tokens muted' }, t('leaks.tokens', formatNumber(leak.tokens))),
  ];
  return openingCase(summary, () => leakBody(leak));
}

function leakBody({ origin, prefix, text, tokens, baseTokens }: Leak): HTMLElement {
  const jump = button({
    label: t('leaks.open'),
    icon: 'go-to-file',
    onClick: () => {
      post({ type: 'openOrigin', origin });
    },
  });
  const code = element('pre', { class: 'case-code', tabindex: 0, 'aria-label': t('leaks.case') });
  code.append(element('span', { class: 'muted' }, prefix), element('mark', {}, text));
  return element(
    'div',
    { class: 'case-body' },
    element('div', { class: 'case-head' }, element('h3', {}, t('leaks.case')), element('span', { class: 'spacer' }), jump),
    code,
    element('p', { class: 'muted' }, t('leaks.case.base', formatNumber(tokens), formatNumber(baseTokens))),
  );
}

function percent(share: number): string {
  return formatNumber(share, { style: 'percent', maximumFractionDigits: 1 });
}

startView('leakReport', openLeakReport);
