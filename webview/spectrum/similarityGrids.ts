import type { SimilarityGrids } from '../../src/protocol/spectrum.js';
import { element } from '../shared/dom.js';
import { formatPercent, t } from '../shared/text.js';
import { picture, square } from './picture.js';

/** Both pictures of φ(i, j) (LoRA, section 7.2). */
export function similarityPictures({ input, output }: SimilarityGrids): HTMLElement {
  return element(
    'div',
    { class: 'similarity-grids' },
    gridFigure(t('spectrum.similarity.written'), output),
    gridFigure(t('spectrum.similarity.read'), input),
  );
}

function gridFigure(title: string, grid: SimilarityGrids['input']): HTMLElement {
  const columns = grid[0]?.length ?? 0;
  const size = Math.max(4, Math.min(16, Math.floor(240 / Math.max(grid.length, columns))));
  const cells = grid.flatMap((row, i) =>
    row.map((share, j) => square(j * size, i * size, size, share, `φ(${i + 1}, ${j + 1}) = ${formatPercent(share)}`)),
  );
  const all = grid.at(-1)?.at(-1) ?? 0;
  const label = t('spectrum.similarity.grid', title, formatPercent(all));
  return element('figure', {}, element('figcaption', {}, title), picture(columns * size, grid.length * size, label, cells));
}
