import type { SweepReport, SweepRow } from '../../src/protocol/sweep.js';
import { canResume } from '../../src/protocol/runs.js';
import type { RunCommand } from '../../src/protocol/views/view.js';
import { statusIcons, statusWord } from '../runs/runStatus.js';
import { button, element, icon } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatBytes, formatDuration, formatNumber, settingHelp, settingTitle, t } from '../shared/text.js';
import { completionScores, loss, type Measure } from './measures.js';
import type { SortOrder } from './reportState.js';
import { differenceInWords, formatLoss, runInWords, valueInWords } from './words.js';

interface TableColumn {
  readonly id: string;
  readonly title: string;
  readonly help: string | null;
  readonly isNumber: boolean;
  /** What it is sorted by; null comes last. */
  readonly key: (row: SweepRow) => number | string | null;
  readonly cell: (row: SweepRow) => Node | string;
}

/** One row for each run, in the order that the user chooses. */
export function resultTable(
  report: SweepReport,
  sort: SortOrder,
  hasAdapter: (runId: string) => boolean,
  onSort: (sort: SortOrder) => void,
): HTMLTableElement {
  const columns = columnsOf(report);
  const chosen = columns.find(({ id }) => id === sort.column);
  const rows = chosen ? sorted(report.rows, chosen, sort.descending) : report.rows;
  const { recommendation } = report;
  const taken = recommendation ? report.rows[recommendation.take] : undefined;
  return element(
    'table',
    {},
    element(
      'thead',
      {},
      element(
        'tr',
        {},
        ...columns.map((column, index) => header(column, index === 0, sort, onSort)),
        element('td', { class: 'row-actions' }),
      ),
    ),
    element('tbody', {}, ...rows.map((row) => tableRow(row, columns, row === taken, hasAdapter(row.runId)))),
    report.baseLoss === null ? null : baseRow(report.baseLoss, columns),
  );
}

function columnsOf(report: SweepReport): readonly TableColumn[] {
  const settings = report.settings.map((setting): TableColumn => {
    const path = setting.split('.');
    const valueOf = ({ settings: values }: SweepRow) => values[setting] ?? null;
    const isNumber = report.rows.every((row) => typeof valueOf(row) === 'number');
    const key = (row: SweepRow) => (isNumber ? (valueOf(row) as number) : valueInWords(valueOf(row)));
    return {
      id: setting,
      title: settingTitle(path),
      help: settingHelp(path),
      isNumber,
      key,
      cell: (row) => valueInWords(valueOf(row)),
    };
  });
  return [
    ...settings,
    { id: 'status', title: t('compare.status'), help: null, isNumber: false, key: statusText, cell: statusCell },
    number('step', t('compare.steps'), null, ({ step }) => step, stepsText),
    measured(loss()),
    number(
      'difference',
      t('sweep.column.difference'),
      t('sweep.column.difference.help'),
      ({ toBest }) => toBest?.difference ?? null,
      (row) => (row.toBest!.difference === 0 && !row.toBest!.halfInterval ? t('sweep.best') : differenceInWords(row.toBest!)),
    ),
    number(
      'parameters',
      t('sweep.axis.parameters'),
      null,
      ({ trainableParameters }) => trainableParameters || null,
      (row) => formatNumber(row.trainableParameters),
    ),
    number(
      'time',
      t('sweep.axis.time'),
      null,
      ({ seconds }) => seconds,
      (row) => formatDuration(row.seconds!),
    ),
    number(
      'memory',
      t('sweep.axis.memory'),
      null,
      ({ peakMemoryBytes }) => peakMemoryBytes,
      (row) => formatBytes(row.peakMemoryBytes!),
    ),
    number(
      'speed',
      t('plot.speed'),
      null,
      ({ tokensPerSecond }) => tokensPerSecond,
      (row) => formatNumber(row.tokensPerSecond!, { maximumSignificantDigits: 3 }),
    ),
    ...completionScores(report).map(measured),
  ];
}

function measured({ id, title, help, valueOf, format }: Measure): TableColumn {
  return number(id, title, help, valueOf, (row) => format(valueOf(row)!));
}

function number(
  id: string,
  title: string,
  help: string | null,
  key: (row: SweepRow) => number | null,
  text: (row: SweepRow) => string,
): TableColumn {
  return { id, title, help, isNumber: true, key, cell: (row) => (key(row) === null ? '–' : text(row)) };
}

function header(
  { id, title, help, isNumber }: TableColumn,
  isFirst: boolean,
  sort: SortOrder,
  onSort: (sort: SortOrder) => void,
): HTMLElement {
  const isSorted = sort.column === id;
  const direction = sort.descending ? 'descending' : 'ascending';
  const sorter = element(
    'button',
    {
      type: 'button',
      class: 'sorter',
      title: help,
      'data-focus': `sort ${id}`,
      click: () => {
        onSort({ column: id, descending: isSorted && !sort.descending });
      },
    },
    element('span', {}, title),
    isSorted ? icon(sort.descending ? 'arrow-small-down' : 'arrow-small-up') : null,
  );
  return element(
    'th',
    { scope: 'col', class: isNumber && !isFirst ? `number column-${id}` : null, 'aria-sort': isSorted ? direction : null },
    sorter,
  );
}

function tableRow(row: SweepRow, columns: readonly TableColumn[], isTaken: boolean, hasAdapter: boolean): HTMLElement {
  const cells = columns.map(({ cell, isNumber }, index) => {
    const attributes = { class: isNumber ? 'number' : null };
    if (index > 0) return element('td', attributes, cell(row));
    return element('th', { scope: 'row', title: row.name }, ...(isTaken ? [recommendedMark()] : []), cell(row));
  });
  const actions = element('td', { class: 'row-actions' }, ...rowActions(row, hasAdapter));
  return element('tr', { class: isTaken ? 'taken' : null, 'data-run': row.runId }, ...cells, actions);
}

function recommendedMark(): HTMLElement {
  const mark = icon('star-full');
  mark.title = t('sweep.recommended');
  return element(
    'span',
    { class: 'taken-mark' },
    mark,
    element('span', { class: 'visually-hidden' }, t('sweep.recommended')),
    ' ',
  );
}

const actionIcons = { open: 'graph-line', completion: 'sparkle', resume: 'debug-continue' } as const;

function rowActions(row: SweepRow, hasAdapter: boolean): HTMLButtonElement[] {
  const act = (command: RunCommand & keyof typeof actionIcons) => {
    const made = button({
      kind: 'icon',
      icon: actionIcons[command],
      label: t('sweep.actionOn', t(`command.${command}`), runInWords(row)),
      onClick: () => {
        post({ type: 'runCommand', runId: row.runId, command });
      },
    });
    made.dataset['focus'] = `${command} ${row.runId}`;
    return made;
  };
  const use = act('completion');
  use.disabled = !hasAdapter;
  return [...(canResume(row.status) ? [act('resume')] : []), use, act('open')];
}

function baseRow(loss: number, columns: readonly TableColumn[]): HTMLElement {
  const cells = columns
    .slice(1)
    .map(({ id, isNumber }) => element('td', { class: isNumber ? 'number' : null }, id === 'loss' ? formatLoss(loss) : ''));
  return element(
    'tfoot',
    {},
    element('tr', {}, element('th', { scope: 'row' }, t('spectrum.ladder.base')), ...cells, element('td', {})),
  );
}

function statusText({ status, leftAtStep }: SweepRow): string {
  return leftAtStep === null || status !== 'stopped' ? statusWord(status) : t('sweep.left', formatNumber(leftAtStep));
}

function statusCell(row: SweepRow): Node {
  const isLeft = row.leftAtStep !== null && row.status === 'stopped';
  const mark = icon(isLeft ? 'circle-slash' : statusIcons[row.status]);
  return element('span', { class: 'row-status', 'data-status': isLeft ? 'left' : row.status }, mark, statusText(row));
}

function stepsText({ step, totalSteps }: SweepRow): string {
  return totalSteps === 0 ? '–' : `${formatNumber(step)} / ${formatNumber(totalSteps)}`;
}

function sorted(rows: readonly SweepRow[], { key }: TableColumn, descending: boolean): readonly SweepRow[] {
  return [...rows].sort((one, other) => {
    const [a, b] = [key(one), key(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
    return descending ? -order : order;
  });
}
