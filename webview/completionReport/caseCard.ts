import { diffWordsWithSpace } from 'diff';
import type { ArmResult, CaseSuggestion, CompletionCase } from '../../src/protocol/completionReport.js';
import { casePlace, caseText, openingCase } from '../shared/cases.js';
import { button, element, icon } from '../shared/dom.js';
import { post } from '../shared/host.js';
import { formatPercent, t } from '../shared/text.js';
import { swatch } from '../plots/pointStyle.js';

/** One position. */
export function caseCard(shown: CompletionCase, arms: readonly ArmResult[]): HTMLElement {
  const results = shown.suggestions.map((suggestion, arm) => resultMark(suggestion, arm, arms[arm]!.name));
  const summary = [
    casePlace(t('cases.place', shown.file, String(shown.line))),
    element('span', { class: 'case-kind muted' }, t(`kind.${shown.kind}`)),
    caseText(shown.truth),
    element('span', { class: 'case-results' }, ...results),
  ];
  return openingCase(summary, () => caseBody(shown, arms));
}

function resultMark({ scores }: CaseSuggestion, arm: number, name: string): HTMLElement {
  const isExact = scores.exactMatch === 1;
  const words = isExact ? t('cases.exact') : t('cases.similar', formatPercent(scores.editSimilarity));
  const label = `${name}: ${words}`;
  return element(
    'span',
    { class: isExact ? 'case-result exact' : 'case-result', title: label, role: 'img', 'aria-label': label },
    swatch(arm),
    icon(isExact ? 'check' : 'close'),
  );
}

function caseBody(shown: CompletionCase, arms: readonly ArmResult[]): HTMLElement {
  const { path, line, column, before, truth, after, suggestions } = shown;
  const context = element('pre', { class: 'case-code', tabindex: 0, 'aria-label': t('cases.truth') });
  context.append(
    element('span', { class: 'muted' }, before),
    element('mark', {}, truth),
    element('span', { class: 'muted' }, after),
  );
  const jump = button({
    label: t('cases.openFile'),
    icon: 'go-to-file',
    onClick: () => {
      post({ type: 'openPlace', path, line, column });
    },
  });
  return element(
    'div',
    { class: 'case-body' },
    element('div', { class: 'case-head' }, element('h3', {}, t('cases.truth')), element('span', { class: 'spacer' }), jump),
    context,
    element(
      'div',
      { class: 'case-suggestions' },
      ...suggestions.map((suggestion, arm) => suggestionBlock(suggestion, arm, arms[arm]!.name, truth)),
    ),
    element('p', { class: 'muted' }, t('cases.marks')),
  );
}

function suggestionBlock({ text, scores }: CaseSuggestion, arm: number, name: string, truth: string): HTMLElement {
  const isExact = scores.exactMatch === 1;
  const words = isExact ? t('cases.exact') : t('cases.similar', formatPercent(scores.editSimilarity));
  const head = element('h3', {}, swatch(arm), name, ' ', element('span', { class: 'muted' }, words));
  if (text.trim() === '') return element('section', {}, head, element('p', { class: 'muted' }, t('cases.nothing')));
  const code = element('pre', { class: 'case-code', tabindex: 0, 'aria-label': name }, ...differenceMarks(truth, text));
  return element('section', {}, head, code);
}

/** The suggestion with what it has too much underlined, and what it lacks crossed out. */
function differenceMarks(truth: string, suggestion: string): readonly (Node | string)[] {
  return diffWordsWithSpace(truth, suggestion).map(({ value, added, removed }) => {
    if (added) return element('ins', {}, value);
    return removed ? element('del', {}, value) : value;
  });
}
