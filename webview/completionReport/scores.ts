import { completionMetricNames, completionMetrics, type CompletionReport } from '../../src/protocol/completionReport.js';
import { swatch } from '../plots/armStyle.js';
import { element, icon } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import { formatBits, formatScore, metricHelp, metricTitle } from './format.js';

interface ScoreRow {
  readonly title: string;
  readonly help: string;
  readonly values: readonly number[];
  readonly better: 'higher' | 'lower';
  readonly format: (value: number) => string;
}

/** Every arm's scores, the best of each marked. */
export function scoresSection(report: CompletionReport): HTMLElement {
  const { arms } = report;
  const head = arms.map((arm, index) => element('th', { scope: 'col', title: arm.adapter ?? arm.name }, swatch(index), arm.name));
  const table = element(
    'table',
    {},
    element('thead', {}, element('tr', {}, element('td'), ...head)),
    element('tbody', {}, ...rows(report).map(scoreRow)),
  );
  const scroller = element(
    'div',
    { class: 'report-table', tabindex: 0, role: 'region', 'aria-label': t('report.scores') },
    table,
  );
  return element('section', {}, element('h2', {}, t('report.scores')), scroller);
}

function rows({ arms }: CompletionReport): readonly ScoreRow[] {
  const metrics = completionMetricNames.map((metric): ScoreRow => ({
    title: metricTitle(metric),
    help: metricHelp(metric),
    values: arms.map(({ scores }) => scores[metric]),
    better: completionMetrics[metric].better,
    format: (value) => formatScore(metric, value),
  }));
  const milliseconds = (value: number) => t('unit.milliseconds', formatNumber(value, { maximumFractionDigits: 0 }));
  const latency = (title: string, values: readonly number[]): ScoreRow => {
    return { title, help: t('report.latency.help'), values, better: 'lower', format: milliseconds };
  };
  return [
    ...metrics,
    {
      title: t('report.unrelated'),
      help: t('report.unrelated.help'),
      values: arms.map(({ unrelatedBitsPerByte }) => unrelatedBitsPerByte),
      better: 'lower',
      format: formatBits,
    },
    latency(
      t('report.latency50'),
      arms.map(({ latencyMs }) => latencyMs.p50),
    ),
    latency(
      t('report.latency90'),
      arms.map(({ latencyMs }) => latencyMs.p90),
    ),
  ];
}

function scoreRow({ title, help, values, better, format }: ScoreRow): HTMLElement {
  const best = better === 'higher' ? Math.max(...values) : Math.min(...values);
  const differs = values.some((value) => format(value) !== format(best));
  const cells = values.map((value) =>
    differs && format(value) === format(best) ? bestCell(format(value)) : element('td', {}, format(value)),
  );
  return element('tr', {}, element('th', { scope: 'row', title: help }, title), ...cells);
}

function bestCell(text: string): HTMLElement {
  const mark = icon('star-full');
  mark.title = t('report.best');
  return element('td', { class: 'best' }, text, ' ', mark);
}
