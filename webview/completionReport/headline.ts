import { enoughPositions, type CompletionReport } from '../../src/protocol/completionReport.js';
import { headlineOf } from '../../src/protocol/evaluateCompletion.js';
import { element } from '../shared/dom.js';
import { counted, formatNumber, formatPercent, formatTime, t } from '../shared/text.js';
import { formatDifference, formatPoints } from './format.js';

/** What the adapter is worth in plain sentences, how it was measured, and what to be careful about. */
export function headlineSection(report: CompletionReport): HTMLElement {
  const { run, model, engine, seed, cases, fileCount, createdAt } = report;
  const size = t(
    'report.inFiles',
    counted('report.positions', cases.length),
    counted('report.files', fileCount),
    formatTime(createdAt),
  );
  return element(
    'header',
    { class: 'report-headline' },
    element('h1', {}, headlineText(report)),
    alsoParagraph(report),
    element('p', { class: 'muted' }, size, element('br'), t('report.about', run, model, engine, String(seed))),
    ...cautions(report).map((text) => element('p', { class: 'banner warning' }, text)),
    leakedFiles(report),
  );
}

function headlineText(report: CompletionReport): string {
  const headline = headlineOf(report);
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

function alsoParagraph(report: CompletionReport): HTMLElement | null {
  const sentences = (headlineOf(report)?.also ?? []).map(({ metric, verdict, ...found }) => {
    const [difference, low, high] = [found.difference, found.low, found.high].map((value) => formatDifference(metric, value));
    return t(`report.also.${metric}.${verdict}`, difference!, low!, high!);
  });
  return sentences.length === 0 ? null : element('p', {}, sentences.join(' '));
}

function cautions(report: CompletionReport): readonly string[] {
  const headline = headlineOf(report);
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
