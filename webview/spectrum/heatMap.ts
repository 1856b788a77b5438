import type { AdapterSpectrum, MatrixName, MatrixSpectrum } from '../../src/protocol/spectrum.js';
import { element, setText } from '../shared/dom.js';
import { t } from '../shared/text.js';
import type { Measure } from './measures.js';

/**
 * A table whose cells are coloured by what they say: modules below each other, layers from left to right. One tab stop; the arrow
 * keys move in it (ARIA Authoring Practices, grid).
 */
export class HeatMap {
  readonly root: HTMLElement;
  private readonly layers: readonly number[];
  private readonly linears: readonly string[];
  private readonly cells = new Map<string, HTMLElement>();
  private readonly scale = element('p', { class: 'muted' });

  constructor(
    private readonly spectrum: AdapterSpectrum,
    private readonly onChoose: (matrix: MatrixSpectrum) => void,
  ) {
    this.layers = [...new Set(spectrum.matrices.map(({ layer }) => layer))];
    this.linears = [...new Set(spectrum.matrices.map(({ linear }) => linear))];
    const table = element(
      'table',
      { class: 'heat-map', role: 'grid', 'aria-label': t('spectrum.map'), keydown: this.onKey },
      element('thead', {}, this.head()),
      element('tbody', {}, ...this.linears.map((linear) => this.row(linear))),
    );
    this.root = element('div', { class: 'heat-map-area' }, element('div', { class: 'heat-map-scroll' }, table), this.scale);
  }

  /** Colours all cells by a measure. */
  show(measure: Measure): void {
    const values = this.spectrum.matrices.map((matrix) => measure.of(matrix)).filter((value) => value !== null);
    const [least, greatest] = [Math.min(...values), Math.max(...values)];
    for (const matrix of this.spectrum.matrices) {
      const value = measure.of(matrix);
      const cell = this.cells.get(keyOf(matrix))!;
      setText(cell, value === null ? '' : measure.short(value));
      const said = value === null ? '–' : measure.format(value);
      cell.title = t('spectrum.cell', matrix.linear, matrix.layer, said);
      cell.setAttribute('aria-label', cell.title);
      cell.style.setProperty('--heat', String(value === null || greatest === 0 ? 0 : value / greatest));
    }
    setText(this.scale, t('spectrum.scale', measure.format(least), measure.format(greatest)));
  }

  select(matrix: MatrixName): void {
    for (const [key, cell] of this.cells) {
      const isSelected = key === keyOf(matrix);
      cell.setAttribute('aria-selected', String(isSelected));
      cell.tabIndex = isSelected ? 0 : -1;
    }
  }

  private head(): HTMLElement {
    const layers = this.layers.map((layer) => element('th', { scope: 'col' }, String(layer)));
    return element('tr', {}, element('th', { scope: 'row', class: 'corner' }, t('spectrum.layer')), ...layers);
  }

  private row(linear: string): HTMLElement {
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, linear),
      ...this.layers.map((layer) => this.cell({ layer, linear })),
    );
  }

  private cell(place: MatrixName): HTMLElement {
    const matrix = this.spectrum.matrices.find((each) => keyOf(each) === keyOf(place));
    if (!matrix) return element('td', { class: 'empty', title: t('spectrum.notChanged', place.linear, place.layer) });
    const choose = () => {
      this.onChoose(matrix);
    };
    const cell = element('td', { role: 'gridcell', tabindex: -1, click: choose });
    this.cells.set(keyOf(place), cell);
    return cell;
  }

  private readonly onKey = (event: Event): void => {
    const { key } = event as KeyboardEvent;
    const found = [...this.cells].find(([, cell]) => cell === document.activeElement);
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
    if (!found || !move) return;
    event.preventDefault();
    const current = this.spectrum.matrices.find((matrix) => keyOf(matrix) === found[0])!;
    const layer = this.layers[this.layers.indexOf(current.layer) + move[0]!];
    const linear = this.linears[this.linears.indexOf(current.linear) + move[1]!];
    const next = this.spectrum.matrices.find((matrix) => matrix.layer === layer && matrix.linear === linear);
    if (!next) return;
    this.onChoose(next);
    this.cells.get(keyOf(next))!.focus();
  };
}

export function keyOf({ layer, linear }: MatrixName): string {
  return `${layer}.${linear}`;
}
