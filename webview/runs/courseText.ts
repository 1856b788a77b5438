import { formatNumber, formatValue, t } from '../shared/text.js';
import type { Course, Outcome } from './course.js';

/** One sentence; empty for a run that ended before anything could be judged. */
export function courseInWords(course: Course, isLive: boolean): string {
  switch (course.kind) {
    case 'early':
    case 'warmingUp':
      return isLive ? t(`course.${course.kind}`) : '';
    case 'flat':
      return t(isLive ? 'course.flat' : 'course.ended.flat', formatValue(course.to));
    case 'falling':
    case 'heldOutFalling':
    case 'diverging': {
      const key = isLive ? (`course.${course.kind}` as const) : (`course.ended.${course.kind}` as const);
      return t(key, formatValue(course.from), formatValue(course.to));
    }
    case 'overfitting': {
      const values = [formatNumber(course.step), formatValue(course.from), formatValue(course.to)];
      return t(isLive ? 'course.overfitting' : 'course.ended.overfitting', ...values);
    }
  }
}

/** What changed, and the step at which it was best if that lies in between. */
export function outcomeInWords(outcome: Outcome): string[] {
  const [before, after] = [formatValue(outcome.before), formatValue(outcome.after)];
  if (outcome.kind === 'training') return [t('outcome.training', before, after)];
  const best = formatValue(outcome.best);
  const lowest = best === after || best === before ? [] : [t('outcome.best', formatNumber(outcome.bestStep), best)];
  if (before === after) return [t('outcome.unchanged', after), ...lowest];
  return [t(outcome.after < outcome.before ? 'outcome.fell' : 'outcome.rose', before, after), ...lowest];
}
