import type { DataOverview, ExamplePage, SkippedRecord } from '../../src/protocol/preflight.js';
import type { DataState } from '../../src/protocol/views/fineTune.js';
import { button, element, icon } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { counted, formatNumber, t } from '../shared/text.js';
import { ExampleBrowser } from './exampleBrowser.js';
import { fileTable, heldOutList, leftOutList, partTable } from './fileList.js';
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
      case 'cancelled':
        return [
          element(
            'div',
            { class: 'empty-state' },
            button({
              label: t('data.read'),
              onClick: () => {
                post({ type: 'readData' });
              },
            }),
          ),
        ];
      case 'reading':
        return [
          element(
            'div',
            { class: 'empty-state', role: 'status' },
            element('p', {}, icon('loading codicon-modifier-spin'), ` ${t('data.reading')}`),
            element('progress', { max: 1, value: state.share, 'aria-label': t('data.reading') }),
            button({
              label: t('preflight.cancel'),
              onClick: () => {
                post({ type: 'cancelData' });
              },
            }),
          ),
        ];
      case 'failed':
        return [element('p', { class: 'banner error', role: 'alert' }, state.message)];
      case 'ready':
        return this.sections(state.overview);
    }
  }

  private sections(overview: DataOverview): HTMLElement[] {
    const { fileCount, languages, folders, heldOutBy, leftOut, skipped, skippedCount } = overview;
    const leftOutCount = leftOut.reduce((sum, { count }) => sum + count, 0);
    return [
      ...credentialWarning(overview),
      figures(overview),
      ...(languages.length > 0
        ? [
            section(
              t('data.partsTitle'),
              element(
                'div',
                { class: 'data-parts' },
                partTable('data.language', languages),
                ...(folders.length > 1 ? [partTable('data.folder', folders)] : []),
              ),
            ),
          ]
        : []),
      ...(fileCount > 0 ? [section(t('data.filesTitle', formatNumber(fileCount)), fileTable(overview))] : []),
      ...(heldOutBy !== null
        ? [
            section(
              t('data.heldOutTitle'),
              element('p', { class: 'muted' }, t(`data.heldOutBy.${heldOutBy}`)),
              heldOutList(overview),
            ),
          ]
        : []),
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

/** Their owner should know of them, whatever is trained. */
function credentialWarning({ leftOut }: DataOverview): HTMLElement[] {
  const count = leftOut.find(({ kind }) => kind === 'credential')?.count ?? 0;
  if (count === 0) return [];
  return [element('p', { class: 'banner warning', role: 'status' }, icon('key'), ` ${counted('data.credentials', count)}`)];
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
