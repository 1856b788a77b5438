import type { IntruderReport, MatrixName, MatrixSpectrum, SimilarityGrids } from '../../src/protocol/spectrum.js';
import { button, element } from '../shared/dom.js';
import { formatNumber, formatPercent, formatValue, t } from '../shared/text.js';
import { similarityPictures } from './similarityGrids.js';
import { valuesChart } from './valuesChart.js';

export interface MatrixContent {
  readonly matrix: MatrixSpectrum;
  readonly otherName: string | null;
  readonly hasBase: boolean;
  readonly grids: SimilarityGrids | undefined;
  readonly intruders: IntruderReport | undefined;
  readonly busy: boolean;
}

interface MatrixActions {
  readonly showSimilarity: (matrix: MatrixName) => void;
  readonly findIntruders: (matrix: MatrixName) => void;
}

/** Everything about one weight. */
export function matrixDetails(content: MatrixContent, actions: MatrixActions): HTMLElement[] {
  const { matrix } = content;
  return [
    element('h2', {}, t('spectrum.matrix', matrix.linear, matrix.layer)),
    figures(matrix),
    valuesChart(matrix),
    ...(content.otherName !== null && matrix.similarity ? [similaritySection(content, actions)] : []),
    intruderSection(content, actions),
  ];
}

function figures({ energyRank, entropyRank, norm, baseNorm }: MatrixSpectrum): HTMLElement {
  const entries = [
    [t('spectrum.measure.energyRank'), formatNumber(energyRank)],
    [t('spectrum.measure.entropyRank'), formatNumber(entropyRank, { maximumFractionDigits: 1 })],
    [t('spectrum.size'), formatValue(norm)],
    [t('spectrum.measure.change'), baseNorm ? formatPercent(norm / baseNorm) : '–'],
  ] as const;
  return element(
    'dl',
    { class: 'figures' },
    ...entries.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

function similaritySection({ matrix, otherName, grids, busy }: MatrixContent, { showSimilarity }: MatrixActions): HTMLElement {
  const { ranks, input, output, inputByChance, outputByChance } = matrix.similarity!;
  const said = (share: number, byChance: number) =>
    t('spectrum.similarity.ofRanks', formatPercent(share), formatPercent(byChance), formatNumber(ranks));
  const show = button({
    label: t('spectrum.similarity.show'),
    onClick: () => {
      showSimilarity(matrix);
    },
  });
  show.disabled = busy;
  return element(
    'section',
    {},
    element('h3', {}, t('spectrum.similarity', otherName!)),
    element(
      'dl',
      { class: 'figures' },
      element('div', {}, element('dt', {}, t('spectrum.similarity.written')), element('dd', {}, said(output, outputByChance))),
      element('div', {}, element('dt', {}, t('spectrum.similarity.read')), element('dd', {}, said(input, inputByChance))),
    ),
    grids ? similarityPictures(grids) : show,
    element('p', { class: 'muted' }, t('spectrum.similarity.help')),
  );
}

function intruderSection({ matrix, hasBase, intruders, busy }: MatrixContent, { findIntruders }: MatrixActions): HTMLElement {
  const find = button({
    label: t('spectrum.intruders.find'),
    onClick: () => {
      findIntruders(matrix);
    },
  });
  find.disabled = busy || !hasBase;
  const asked = [find, element('p', { class: 'muted' }, hasBase ? t('spectrum.intruders.takes') : t('spectrum.noBase'))];
  return element(
    'section',
    {},
    element('h3', {}, t('spectrum.intruders')),
    ...(intruders ? intruderParts(intruders) : asked),
    element('p', { class: 'muted' }, t('spectrum.intruders.help')),
  );
}

function intruderParts({ directions, intruders, threshold }: IntruderReport): HTMLElement[] {
  const count = formatNumber(directions.length);
  const words =
    intruders === 0
      ? t('spectrum.intruders.none', count)
      : t('spectrum.intruders.found', formatNumber(intruders), count, formatNumber(threshold));
  const titles = [t('spectrum.rank'), t('spectrum.intruders.tuned'), t('spectrum.intruders.cosine'), ''];
  const rows = directions.map(({ value, cosine }, index) =>
    element(
      'tr',
      { class: cosine < threshold ? 'intruder' : null },
      element('th', { scope: 'row' }, formatNumber(index + 1)),
      element('td', {}, formatValue(value)),
      element('td', {}, formatNumber(cosine, { minimumFractionDigits: 2, maximumFractionDigits: 2 })),
      element('td', {}, cosine < threshold ? t('spectrum.intruders.yes') : ''),
    ),
  );
  const head = element('tr', {}, ...titles.map((title) => (title ? element('th', { scope: 'col' }, title) : element('td'))));
  return [
    element('p', {}, words),
    element('table', { class: 'figures-table' }, element('thead', {}, head), element('tbody', {}, ...rows)),
  ];
}
