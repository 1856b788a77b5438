import { enoughPositions, type CompletionReport } from '../../src/protocol/completionReport.js';
import { headlineOf, type Headline } from '../../src/protocol/evaluateCompletion.js';
import { element } from '../shared/dom.js';
import { counted, formatNumber, formatPercent, formatTime, t } from '../shared/text.js';
import { formatDifference, formatPoints } from './format.js';

/** What the adapter is worth in plain sentences, how it was measured, and what to be careful about. */
export function headlineSection(report: CompletionReport): HTMLElement {
  const { run, model, engine, seed, cases, fileCount, createdAt } = report;
  const headline = headlineOf(report);
  const size = t(
    'report.inFiles',
    counted('report.positions', cases.length),
    counted('report.files', fileCount),
    formatTime(createdAt),
  );
  return element(
    'header',
    { class: 'report-headline' },
    element('h1', {}, headlineText(headline)),
    clearDifferences(headline),
    element('p', { class: 'muted' }, size, element('br'), t('report.about', run, model, engine, String(seed))),
    ...cautions(report, headline).map((text) => element('p', { class: 'banner warning' }, text)),
    leakedFiles(report),
  );
}

function headlineText(headline: Headline | null): string {
  if (!headline) return t('report.nothingToCompare');
  const {
    exact: { difference, low, high },
    verdict,
    against,
  } = headline;
  const signed = { signDisplay: 'exceptZero' } as const;
  const size = verdict === 'same' ? formatPoints(difference, signed) : formatPoints(Math.abs(difference));
  return t(`report.${verdict}.${against}`, size, formatPoints(low, signed), formatPoints(high, signed));
}

function clearDifferences(headline: Headline | null): HTMLElement | null {
  const sentences = (headline?.clear ?? []).map(({ metric, verdict, ...found }) => {
    const [difference, low, high] = [found.difference, found.low, found.high].map((value) => formatDifference(metric, value));
    return t(`report.clear.${metric}.${verdict}`, difference!, low!, high!);
  });
  return sentences.length === 0 ? null : element('p', {}, sentences.join(' '));
}

function cautions(report: CompletionReport, headline: Headline | null): readonly string[] {
  return [
    ...(report.cases.length < enoughPositions
      ? [t('report.notEnough', formatNumber(report.cases.length), formatNumber(enoughPositions))]
      : []),
    ...(headline && headline.against !== 'control' ? [t('report.noControl')] : []),
  ];
}

function leakedFiles({ leaked }: CompletionReport): HTMLElement | null {
  if (leaked.length === 0) return null;
  const files = leaked.map(({ path, trainedOn, share }) =>
    element('li', {}, t('report.leak', path, formatPercent(share), trainedOn)),
  );
  return element('div', { class: 'banner warning' }, element('p', {}, t('report.leaked')), element('ul', {}, ...files));
}
