import {
  completionMetrics,
  type ArmComparison,
  type CompletionMetric,
  type CompletionReport,
} from '../../src/protocol/completionReport.js';
import { element } from '../shared/dom.js';
import { formatNumber, formatValue, t } from '../shared/text.js';
import { DotPlot, type DotSeries } from '../plots/dotPlot.js';
import { formatDifference, metricHelp, metricTitle, minus } from './format.js';
import type { PlotSection } from '../plots/plotSection.js';

const shares = Object.entries(completionMetrics).flatMap(([name, { unit }]) =>
  unit === 'share' ? [name as CompletionMetric] : [],
);

/** What the run's adapter has over each of the other arms. */
export function differencesSection(report: CompletionReport): PlotSection {
  const { comparisons } = report;
  if (comparisons.length === 0) return { root: element('section', { hidden: true }), plots: [] };
  const plotOf = (title: string, metrics: readonly CompletionMetric[]) => {
    const format = (value: number) => formatDifference(metrics[0]!, value);
    return new DotPlot({ title, rows: metrics.map(metricTitle), series: seriesOf(report, metrics), format });
  };
  const plots = [plotOf(t('report.points'), shares), plotOf(t('report.bits'), ['bitsPerByte'])];
  const tables = comparisons.map((comparison) => comparisonTable(comparison, report));
  const details = element('details', {}, element('summary', {}, t('report.asTable')), ...tables);
  const tests = comparisons.map((comparison) => element('p', { class: 'muted' }, mcnemarText(comparison, report)));
  return {
    root: element('section', {}, element('h2', {}, t('report.differences')), ...plots.map(({ root }) => root), ...tests, details),
    plots,
  };
}

function seriesOf({ arms, comparisons }: CompletionReport, metrics: readonly CompletionMetric[]): readonly DotSeries[] {
  return comparisons.map(({ arm, against, differences }) => ({
    name: minus(arms[arm]!, arms[against]!),
    style: against,
    dots: metrics.map((metric) => {
      const found = differences.find((each) => each.metric === metric);
      return found && { value: found.difference, interval: [found.low, found.high] };
    }),
  }));
}

function mcnemarText({ arm, against, onlyArm, onlyAgainst, pValue }: ArmComparison, { arms }: CompletionReport): string {
  const [one, other] = [arms[arm]!.name, arms[against]!.name];
  return t('report.mcnemar', one, formatNumber(onlyArm), other, formatNumber(onlyAgainst), formatValue(pValue));
}

function comparisonTable({ arm, against, differences }: ArmComparison, { arms }: CompletionReport): HTMLElement {
  const rows = differences.map(({ metric, difference, low, high }) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row', title: metricHelp(metric) }, metricTitle(metric)),
      element('td', {}, formatDifference(metric, difference)),
      element('td', {}, t('report.range', formatDifference(metric, low), formatDifference(metric, high))),
    ),
  );
  const head = [t('report.difference'), t('report.interval')].map((text) => element('th', { scope: 'col' }, text));
  const name = minus(arms[arm]!, arms[against]!);
  return element(
    'div',
    { class: 'report-table', tabindex: 0, role: 'region', 'aria-label': name },
    element(
      'table',
      {},
      element('caption', {}, name),
      element('thead', {}, element('tr', {}, element('td'), ...head)),
      element('tbody', {}, ...rows),
    ),
  );
}
