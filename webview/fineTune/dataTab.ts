import type { DataOverview, ExamplePage, SkippedRecord } from '../../src/protocol/preflight.js';
import type { DataState } from '../../src/protocol/views/fineTune.js';
import { element, icon } from '../shared/dom.js';
import { counted, formatNumber, t } from '../shared/text.js';
import { ExampleBrowser } from './exampleBrowser.js';
import { fileTable, leftOutList } from './fileList.js';
import { originLink } from './originLink.js';

/** What will be learned from: files, what was left out and why, and every example token by token. */
export class DataTab {
  readonly root = element('div', { class: 'data-tab' });
  private shown: DataState | undefined;
  /** The overview whose examples the browser shows. */
  private browsed: DataOverview | undefined;
  private readonly browser = new ExampleBrowser();

  /** `visible`: examples are read only while the user can see them. */
  update(state: DataState, visible: boolean): void {
    if (state !== this.shown) {
      this.shown = state;
      this.root.replaceChildren(...this.content(state));
    }
    if (visible && state.kind === 'ready' && state.overview !== this.browsed) {
      this.browsed = state.overview;
      this.browser.reload();
    }
  }

  showExamples(page: ExamplePage): void {
    this.browser.show(page);
  }

  failExamples(message: string): void {
    this.browser.fail(message);
  }

  private content(state: DataState): HTMLElement[] {
    switch (state.kind) {
      case 'none':
        return [element('div', { class: 'empty-state' }, element('p', {}, t('data.explanation')))];
      case 'reading':
        return [
          element(
            'div',
            { class: 'empty-state', role: 'status' },
            element('p', {}, icon('loading codicon-modifier-spin'), ` ${t('data.reading')}`),
          ),
        ];
      case 'failed':
        return [element('p', { class: 'banner error', role: 'alert' }, state.message)];
      case 'ready':
        return this.sections(state.overview);
    }
  }

  private sections(overview: DataOverview): HTMLElement[] {
    const { fileCount, leftOut, skipped, skippedCount } = overview;
    const leftOutCount = leftOut.reduce((sum, { count }) => sum + count, 0);
    return [
      figures(overview),
      ...(fileCount > 0 ? [section(t('data.filesTitle', formatNumber(fileCount)), fileTable(overview))] : []),
      ...(leftOutCount > 0
        ? [
            section(
              t('data.leftOutTitle', formatNumber(leftOutCount)),
              element('p', { class: 'muted' }, t('data.leftOutHelp')),
              leftOutList(leftOut),
            ),
          ]
        : []),
      ...(skippedCount > 0 ? [section(t('data.skippedTitle', formatNumber(skippedCount)), skippedTable(skipped))] : []),
      section(t('data.examplesTitle'), this.browser.root),
    ];
  }
}

function section(title: string, ...content: readonly HTMLElement[]): HTMLElement {
  return element('section', { class: 'data-section' }, element('h2', {}, title), ...content);
}

function figures({ format, examples, heldOut, tokens, longest, truncated }: DataOverview): HTMLElement {
  const shown: readonly (readonly [string, string])[] = [
    [t('data.format'), format],
    [t('lengths.examples'), formatNumber(examples)],
    [t('preflight.evaluation'), heldOut > 0 ? formatNumber(heldOut) : t('form.none')],
    [t('data.tokenColumn'), formatNumber(tokens)],
    [t('data.longest'), counted('data.tokens', longest)],
    ...(truncated > 0 ? [[t('data.cutOff'), formatNumber(truncated)] as const] : []),
  ];
  return element(
    'dl',
    { class: 'figures' },
    ...shown.map(([name, value]) => element('div', {}, element('dt', {}, name), element('dd', {}, value))),
  );
}

function skippedTable(skipped: readonly SkippedRecord[]): HTMLElement {
  const rows = skipped.map(({ origin, reason }) =>
    element('tr', {}, element('th', { scope: 'row' }, originLink(origin)), element('td', {}, reason)),
  );
  const header = element(
    'tr',
    {},
    element('th', { scope: 'col' }, t('data.where')),
    element('th', { scope: 'col' }, t('data.why')),
  );
  return element('table', { class: 'skipped' }, element('thead', {}, header), element('tbody', {}, ...rows));
}
