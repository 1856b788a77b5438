/** @file The words and numbers of a report. */
import { completionMetrics, type ArmResult, type CompletionMetric } from '../../src/protocol/completionReport.js';
import { formatNumber, t } from '../shared/text.js';

export function metricTitle(metric: CompletionMetric): string {
  return t(`metric.${metric}`);
}

export function metricHelp(metric: CompletionMetric): string {
  return t(`metric.${metric}.help`);
}

export function formatScore(metric: CompletionMetric, value: number): string {
  return formatIn(completionMetrics[metric].unit, value, {});
}

/** With its sign; shares in percentage points. */
export function formatDifference(metric: CompletionMetric, value: number): string {
  const signed: Intl.NumberFormatOptions = { signDisplay: 'exceptZero' };
  if (completionMetrics[metric].unit === 'share') return formatPoints(value, signed);
  return formatIn(completionMetrics[metric].unit, value, signed);
}

export function formatPoints(share: number, options: Intl.NumberFormatOptions = {}): string {
  return formatNumber(100 * share, { ...options, minimumFractionDigits: 1, maximumFractionDigits: 1 });
}

export function formatBits(value: number): string {
  return formatIn('bits', value, {});
}

function formatIn(unit: 'share' | 'bits' | 'characters', value: number, options: Intl.NumberFormatOptions): string {
  switch (unit) {
    case 'share':
      return formatNumber(value, { ...options, style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 });
    case 'bits':
      return formatNumber(value, { ...options, minimumFractionDigits: 3, maximumFractionDigits: 3 });
    case 'characters':
      return formatNumber(value, { ...options, minimumFractionDigits: 1, maximumFractionDigits: 1 });
  }
}

export function minus(one: ArmResult, other: ArmResult): string {
  return t('report.minus', one.name, other.name);
}
