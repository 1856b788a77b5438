import type { DataSummary } from '../../src/protocol/preflight.js';
import { element } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';

/** The lengths of the examples as native meters in a table, readable by eye and by screen reader alike. */
export function histogram({ histogram: bins, shortestLength, medianLength, length95, longestLength }: DataSummary): HTMLElement {
  const most = Math.max(1, ...bins.map(({ examples }) => examples));
  const rows = bins.map(({ upTo, examples }) => {
    const meter = element('meter', { min: 0, max: most, value: examples, 'aria-hidden': 'true' });
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, t('lengths.upTo', formatNumber(upTo))),
      element('td', { class: 'bar' }, meter),
      element('td', {}, formatNumber(examples)),
    );
  });
  const header = element('tr', {}, columnHeader(t('lengths.length')), columnHeader(''), columnHeader(t('lengths.examples')));
  const lengths = [shortestLength, medianLength, length95, longestLength].map((length) => formatNumber(length));
  return element(
    'figure',
    { class: 'histogram' },
    element('table', {}, element('thead', {}, header), element('tbody', {}, ...rows)),
    element('figcaption', { class: 'muted' }, t('lengths.summary', ...lengths)),
  );
}

function columnHeader(text: string): HTMLElement {
  return text === '' ? element('td') : element('th', { scope: 'col' }, text);
}
