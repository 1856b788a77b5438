import type { AdapterInfo } from '../../src/protocol/backend.js';
import {
  playgroundSides,
  type Batch,
  type BatchAnswer,
  type BatchRow,
  type PlaygroundSide,
} from '../../src/protocol/views/playground.js';
import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';
import { variantName } from './variantName.js';

/** The prompts of a file in a table, with one column per side, filled in as the answers arrive. */
export class BatchTable {
  readonly root: HTMLElement;
  private readonly sides: readonly PlaygroundSide[];
  private readonly cells: readonly Readonly<Record<PlaygroundSide, HTMLElement>>[];
  private readonly count = element('span', { class: 'muted' });
  private readonly progress: HTMLProgressElement;
  private readonly answered = new Set<string>();
  private readonly stop: HTMLButtonElement;
  private readonly save = button({
    icon: 'save',
    label: t('playground.batch.save'),
    onClick: () => {
      post({ type: 'saveBatch' });
    },
  });

  constructor(
    readonly batch: Batch,
    adapters: readonly AdapterInfo[],
  ) {
    this.sides = playgroundSides.filter((side) => batch[side] !== null);
    const names = { left: variantName(batch.left, adapters), right: batch.right ? variantName(batch.right, adapters) : '' };
    this.cells = batch.rows.map(() => ({ left: this.cell(names.left), right: this.cell(names.right) }));
    this.progress = element('progress', { max: batch.rows.length * this.sides.length, 'aria-label': batch.file });
    this.stop = button({
      icon: 'debug-stop',
      label: t('playground.stop'),
      onClick: () => {
        post({ type: 'stopGenerating', requestId: batch.requestId });
      },
    });
    const close = button({
      kind: 'icon',
      icon: 'close',
      label: t('playground.batch.close'),
      onClick: () => {
        post({ type: 'closeBatch' });
      },
    });
    const title = element('h2', { title: batch.file }, batch.file);
    const head = ['playground.prompt' as const].map((key) => t(key)).concat(this.sides.map((side) => names[side]));
    this.root = element(
      'section',
      { class: 'batch', 'aria-label': batch.file },
      element(
        'header',
        { class: 'panel-header' },
        title,
        this.count,
        element('span', { class: 'spacer' }),
        this.stop,
        this.save,
        close,
      ),
      this.progress,
      element(
        'div',
        { class: 'batch-rows', tabindex: 0, role: 'group', 'aria-label': t('playground.batch.answers') },
        element(
          'table',
          {},
          element('thead', {}, element('tr', {}, ...head.map((name) => element('th', { scope: 'col' }, name)))),
          element('tbody', {}, ...batch.rows.map((row, index) => this.row(row, index))),
        ),
      ),
    );
    this.showProgress(batch.running);
  }

  answer(row: number, side: PlaygroundSide, answer: BatchAnswer): void {
    this.fill(row, side, answer);
    this.showProgress(true);
  }

  end(): void {
    this.showProgress(false);
  }

  private row(row: BatchRow, index: number): HTMLElement {
    for (const side of this.sides) this.fill(index, side, row[side]);
    return element('tr', {}, element('th', { scope: 'row' }, row.prompt), ...this.sides.map((side) => this.cells[index]![side]));
  }

  private cell(variant: string): HTMLElement {
    return element('td', { 'data-variant': variant });
  }

  private fill(row: number, side: PlaygroundSide, answer: BatchAnswer | null): void {
    const cell = this.cells[row]?.[side];
    if (!cell || answer === null) return;
    this.answered.add(`${row} ${side}`);
    cell.classList.toggle('failed', answer.kind === 'failed');
    setText(cell, answer.kind === 'failed' ? answer.message : answer.text.trim() || t('playground.batch.nothing'));
  }

  private showProgress(running: boolean): void {
    const [done, all] = [Math.floor(this.answered.size / this.sides.length), this.batch.rows.length];
    setText(this.count, t('playground.batch.progress', formatNumber(done), formatNumber(all)));
    this.progress.value = this.answered.size;
    this.progress.hidden = !running;
    this.stop.hidden = !running;
    this.save.disabled = this.answered.size === 0;
  }
}
