import type { MatrixSpectrum } from '../../src/protocol/spectrum.js';
import { element } from '../shared/dom.js';
import { formatNumber, formatPercent, formatValue, t } from '../shared/text.js';
import { column, picture } from './picture.js';

const height = 120;
const [barWidth, gap] = [10, 3];

/** The singular values as columns, and as a table. */
export function valuesChart({ values }: MatrixSpectrum): HTMLElement {
  const largest = Math.max(...values, Number.MIN_VALUE);
  const width = values.length * (barWidth + gap);
  const label = t('spectrum.values', formatValue(values[0] ?? 0), formatValue(values.at(-1) ?? 0));
  const bars = values.map((value, index) => {
    const size = (height * value) / largest;
    return column(index * (barWidth + gap), height - size, barWidth, size, `${index + 1}: ${formatValue(value)}`);
  });
  return element(
    'figure',
    { class: 'singular-values' },
    element('figcaption', { class: 'muted' }, label),
    element('div', { class: 'picture-scroll' }, picture(width, height, label, bars)),
    valuesTable(values),
  );
}

function valuesTable(values: readonly number[]): HTMLElement {
  const total = values.reduce((sum, value) => sum + value * value, 0);
  let kept = 0;
  const rows = values.map((value, index) => {
    kept += value * value;
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, formatNumber(index + 1)),
      element('td', {}, formatValue(value)),
      element('td', {}, total === 0 ? '–' : formatPercent(kept / total)),
    );
  });
  const titles = [t('spectrum.rank'), t('spectrum.value'), t('spectrum.energyKept')];
  const head = element('tr', {}, ...titles.map((title) => element('th', { scope: 'col' }, title)));
  return element(
    'details',
    {},
    element('summary', {}, t('spectrum.asTable')),
    element('table', { class: 'figures-table' }, element('thead', {}, head), element('tbody', {}, ...rows)),
  );
}
