import type { DataOverview, FileUse, LeftOutGroup } from '../../src/protocol/preflight.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { button, element } from '../shared/dom.js';
import { formatNumber, formatPercent, t } from '../shared/text.js';
import { originLink } from './originLink.js';

const shownAtFirst = 12;

/** The files of a folder with each one's share of all tokens, largest first. */
export function fileTable({ files, fileCount }: DataOverview): HTMLElement {
  const folder = commonFolder(files.map(({ path }) => path));
  const all = files.reduce((sum, { tokens }) => sum + tokens, 0);
  const row = (file: FileUse) => fileRow(file, file.path.slice(folder.length), file.tokens / Math.max(1, all));
  const body = element('tbody', {}, ...files.slice(0, shownAtFirst).map(row));
  const rest = fileCount - shownAtFirst;
  const more = button({
    kind: 'link',
    label: t('data.moreFiles', formatNumber(rest)),
    onClick: () => {
      body.append(...files.slice(shownAtFirst).map(row));
      more.hidden = true;
    },
  });
  more.hidden = rest <= 0;
  const head = element(
    'tr',
    {},
    ...(['data.file', 'data.share', 'data.tokenColumn'] as const).map((key) => element('th', { scope: 'col' }, t(key))),
  );
  return element('div', {}, element('table', { class: 'data-files' }, element('thead', {}, head), body), more);
}

function fileRow({ path, tokens }: FileUse, name: string, share: number): HTMLElement {
  const meter = element('meter', { min: 0, max: 1, value: share, 'aria-label': formatPercent(share) });
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, originLink(path, name)),
    element('td', { class: 'bar', title: formatPercent(share) }, meter),
    element('td', { class: 'number' }, formatNumber(tokens)),
  );
}

/** Why files were left out: one expandable entry per reason, listing its files. */
export function leftOutList(groups: readonly LeftOutGroup[]): HTMLElement {
  const folder = commonFolder(groups.flatMap(({ paths }) => paths));
  return element('div', { class: 'left-out' }, ...groups.map((group) => leftOutGroup(group, folder)));
}

function leftOutGroup({ kind, count, paths }: LeftOutGroup, folder: string): HTMLElement {
  const more = count - paths.length;
  return element(
    'details',
    {},
    element('summary', {}, `${t(`leftOut.${kind}` as PhraseKey)} `, element('span', { class: 'badge' }, formatNumber(count))),
    element(
      'ul',
      {},
      ...paths.map((path) => element('li', { title: path }, path.slice(folder.length))),
      more > 0 ? element('li', { class: 'muted' }, t('data.andMore', formatNumber(more))) : null,
    ),
  );
}

/** Up to and including the last separator that all paths share. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  const shared = first.slice(0, length);
  return shared.slice(0, Math.max(shared.lastIndexOf('/'), shared.lastIndexOf('\\')) + 1);
}
