import type { DataOverview, FileUse, LeftOutFile, LeftOutGroup, PartOfData } from '../../src/protocol/preflight.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { button, element } from '../shared/dom.js';
import { counted, formatNumber, formatPercent, t } from '../shared/text.js';
import { originLink } from './originLink.js';

const shownAtFirst = 12;

/** The files of a folder with each one's share of all tokens, largest first. */
export function fileTable({ files, fileCount }: DataOverview): HTMLElement {
  const folder = commonFolder(files.map(({ path }) => path));
  const all = files.reduce((sum, { tokens }) => sum + tokens, 0);
  const row = (file: FileUse) =>
    shareRow([originLink(file.path, file.path.slice(folder.length)), file.heldOut && heldOutBadge()], file.tokens, all);
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
  return element('div', { class: 'data-files' }, shareTable('data.file', body), more);
}

/** What the languages or folders of source code contribute. */
export function partTable(title: PhraseKey, parts: readonly PartOfData[]): HTMLElement {
  const all = parts.reduce((sum, { tokens }) => sum + tokens, 0);
  const rows = parts.map(({ name, files, tokens }) =>
    shareRow([name, element('span', { class: 'muted' }, ` ${counted('data.fileCount', files)}`)], tokens, all),
  );
  return shareTable(title, element('tbody', {}, ...rows));
}

/** The files that are held out. */
export function heldOutList({ files }: DataOverview): HTMLElement {
  const folder = commonFolder(files.map(({ path }) => path));
  const heldOut = files.filter((file) => file.heldOut);
  return element(
    'details',
    { class: 'file-group' },
    element('summary', {}, t('data.heldOutFiles'), ' ', badge(heldOut.length)),
    element('ul', {}, ...heldOut.map(({ path }) => element('li', {}, originLink(path, path.slice(folder.length))))),
  );
}

function shareTable(title: PhraseKey, body: HTMLElement): HTMLElement {
  const titles = [title, 'data.share', 'data.tokenColumn'] as const;
  const head = element('tr', {}, ...titles.map((key) => element('th', { scope: 'col' }, t(key))));
  return element('table', { class: 'share-table' }, element('thead', {}, head), body);
}

function shareRow(name: readonly (HTMLElement | string | false)[], tokens: number, all: number): HTMLElement {
  const share = tokens / Math.max(1, all);
  const meter = element('meter', { min: 0, max: 1, value: share, 'aria-label': formatPercent(share) });
  return element(
    'tr',
    {},
    element('th', { scope: 'row' }, ...name.filter((part) => part !== false)),
    element('td', { class: 'bar', title: formatPercent(share) }, meter),
    element('td', { class: 'number' }, formatNumber(tokens)),
  );
}

function heldOutBadge(): HTMLElement {
  return element('span', { class: 'badge held-out' }, t('data.heldOutBadge'));
}

function badge(count: number): HTMLElement {
  return element('span', { class: 'badge' }, formatNumber(count));
}

/** Why files were left out: one expandable entry per reason, listing its files. */
export function leftOutList(groups: readonly LeftOutGroup[]): HTMLElement {
  const folder = commonFolder(groups.flatMap(({ files }) => files.map(({ path }) => path)));
  return element('div', { class: 'left-out' }, ...groups.map((group) => leftOutGroup(group, folder)));
}

/** Open for credentials, which their owner should know of. */
function leftOutGroup({ kind, count, files }: LeftOutGroup, folder: string): HTMLElement {
  const more = count - files.length;
  return element(
    'details',
    { class: 'file-group', open: kind === 'credential' },
    element('summary', {}, `${t(`leftOut.${kind}` as PhraseKey)} `, badge(count)),
    element(
      'ul',
      {},
      ...files.map((file) => leftOutItem(file, folder)),
      more > 0 ? element('li', { class: 'muted' }, t('data.andMore', formatNumber(more))) : null,
    ),
  );
}

/** With a link to the line, where there is one. */
function leftOutItem({ path, line, detail }: LeftOutFile, folder: string): HTMLElement {
  const name = path.slice(folder.length);
  const shown = line === undefined ? name : originLink(`${path}:${line}`, `${name}:${line}`);
  return element('li', { title: path }, shown, detail === undefined ? null : ` · ${detail}`);
}

/** Up to and including the last separator that all paths share. */
function commonFolder(paths: readonly string[]): string {
  const [first = '', ...others] = paths;
  let length = first.length;
  for (const other of others) while (!other.startsWith(first.slice(0, length))) length--;
  const shared = first.slice(0, length);
  return shared.slice(0, Math.max(shared.lastIndexOf('/'), shared.lastIndexOf('\\')) + 1);
}
