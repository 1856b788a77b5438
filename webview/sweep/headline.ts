import { modelName } from '../../src/protocol/modelName.js';
import { isOver } from '../../src/protocol/runs.js';
import type { SweepReport, SweepRow } from '../../src/protocol/sweep.js';
import { element } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import { differenceInWords, formatLoss, runInWords, shareInWords } from './words.js';

/** Which run to take, in one sentence, and what it is based on. */
export function headline(report: SweepReport): HTMLElement {
  const { name, model, dataPath } = report;
  const data = dataPath.split(/[\\/]/).at(-1)!;
  // The usual name says it already.
  const about = [name, ...(name.includes(data) ? [] : [data]), modelName(model)].join(' · ');
  return element(
    'div',
    { class: 'report-headline' },
    element('h1', {}, recommendationInWords(report)),
    ...details(report).map((text) => element('p', {}, text)),
    element('p', { class: 'muted' }, about),
  );
}

export function recommendationInWords({ recommendation, rows, isComplete }: SweepReport): string {
  if (!recommendation) {
    const isMeasuring = rows.some(({ status }) => status === 'finished');
    return t(isMeasuring ? 'sweep.measuring' : isComplete ? 'sweep.none' : 'sweep.notYet');
  }
  const { isUncertain } = recommendation;
  const [take, best] = [rows[recommendation.take]!, rows[recommendation.best]!];
  if (isUncertain) return t('sweep.take.uncertain', runInWords(take));
  if (take === best) return t('sweep.take.best', runInWords(take));
  const share = take.trainableParameters / best.trainableParameters;
  if (share < 1) return t('sweep.take.smaller', runInWords(take), runInWords(best), shareInWords(share));
  return t('sweep.take.faster', runInWords(take), runInWords(best));
}

function details({ recommendation, rows, baseLoss, isComplete }: SweepReport): string[] {
  const ahead = rows.filter((row) => !isOver(row.status)).length;
  const mayChange = isComplete || ahead === 0 ? [] : [t('sweep.mayChange', formatNumber(ahead), formatNumber(rows.length))];
  if (!recommendation) return mayChange.length > 0 && rows.some(({ heldOutLoss }) => heldOutLoss !== null) ? [soFar(rows)] : [];
  const [take, best] = [rows[recommendation.take]!, rows[recommendation.best]!];
  const loss = t('sweep.loss', formatLoss(take.heldOutLoss!));
  const difference =
    take === best || !take.toBest ? [] : [t('sweep.difference', differenceInWords(take.toBest), runInWords(best))];
  const base = baseLoss === null ? [] : [t('sweep.base', formatLoss(baseLoss))];
  return [[loss, ...difference, ...base].join(' '), ...mayChange];
}

/** What leads before any run is at its end. */
function soFar(rows: readonly SweepRow[]): string {
  const measured = rows.filter(({ heldOutLoss }) => heldOutLoss !== null);
  const lead = measured.reduce((best, row) => (row.heldOutLoss! < best.heldOutLoss! ? row : best));
  return t('sweep.soFar', runInWords(lead), formatLoss(lead.heldOutLoss!), formatNumber(lead.step));
}
