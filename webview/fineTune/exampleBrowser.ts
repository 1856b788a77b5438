import type { ExamplePage, ExampleQuery } from '../../src/protocol/preflight.js';
import { button, element, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatNumber, t } from '../shared/text.js';
import { sequence, tokenLegend } from './tokens.js';

const perPage = 5;
const typingMs = 250;

/** All examples of the data, one page at a time, searchable by their text. The host holds them. */
export class ExampleBrowser {
  readonly root: HTMLElement;
  private query: ExampleQuery = { text: '', offset: 0, limit: perPage };
  private typing: ReturnType<typeof setTimeout> | undefined;
  private readonly where = element('span', { class: 'muted', role: 'status' });
  private readonly list = element('div', { class: 'example-list' });
  private readonly search = element('input', {
    type: 'search',
    placeholder: t('examples.search'),
    'aria-label': t('examples.search'),
    input: () => {
      clearTimeout(this.typing);
      this.typing = setTimeout(() => {
        this.ask({ text: this.search.value.trim(), offset: 0 });
      }, typingMs);
    },
  });
  private readonly previous = this.pageButton('chevron-left', t('examples.previous'), -perPage);
  private readonly next = this.pageButton('chevron-right', t('examples.next'), perPage);

  constructor() {
    const bar = element('div', { class: 'example-bar' }, this.search, this.where, this.previous, this.next);
    this.root = element('div', { class: 'examples' }, bar, tokenLegend(), this.list);
  }

  /** Reads new data from the beginning, keeping the search text. */
  reload(): void {
    this.list.replaceChildren();
    this.ask({ offset: 0 });
  }

  show(page: ExamplePage): void {
    if (page.text !== this.query.text || page.offset !== this.query.offset) return; // the answer to an earlier query
    const last = page.offset + page.examples.length;
    const place = t('examples.range', formatNumber(page.offset + 1), formatNumber(last), formatNumber(page.total));
    setText(this.where, page.total === 0 ? t('examples.none') : place);
    this.previous.disabled = page.offset === 0;
    this.next.disabled = last >= page.total;
    const examples = page.examples.map((example) => sequence(example, example.heldOut ? [t('examples.heldOut')] : []));
    this.list.replaceChildren(...examples);
  }

  fail(message: string): void {
    setText(this.where, '');
    this.list.replaceChildren(element('p', { class: 'banner error', role: 'alert' }, message));
  }

  private ask(change: Partial<ExampleQuery>): void {
    this.query = { ...this.query, ...change };
    setText(this.where, t('examples.reading'));
    post({ type: 'readExamples', query: this.query });
  }

  private pageButton(icon: string, label: string, step: number): HTMLButtonElement {
    const made = button({
      kind: 'icon',
      icon,
      label,
      onClick: () => {
        this.ask({ offset: Math.max(0, this.query.offset + step) });
      },
    });
    made.disabled = true;
    return made;
  }
}
