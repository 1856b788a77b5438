import {
  positionKinds,
  type CompletionCase,
  type CompletionReport,
  type PositionKind,
} from '../../src/protocol/completionReport.js';
import { object, oneOf, type Guard } from '../../src/protocol/guard.js';
import { button, element, setText } from '../shared/dom.js';
import { formatNumber, t } from '../shared/text.js';
import { caseCard } from './caseCard.js';

const outcomes = ['all', 'won', 'lost', 'both', 'neither'] as const;
type Outcome = (typeof outcomes)[number];

export interface CaseFilter {
  readonly kind: PositionKind | 'all';
  readonly outcome: Outcome;
}

export const unfiltered: CaseFilter = { kind: 'all', outcome: 'all' };
export const isCaseFilter: Guard<CaseFilter> = object({ kind: oneOf('all', ...positionKinds), outcome: oneOf(...outcomes) });

/** Cases added at a time. */
const page = 25;

/** Every position with what was suggested there, filtered by kind and by outcome. */
export class CaseList {
  readonly root: HTMLElement;
  private readonly list = element('div', { class: 'case-list' });
  private readonly countText = element('output', { class: 'muted' });
  private readonly more = button({
    label: t('cases.more'),
    onClick: () => {
      this.addPage();
    },
  });
  private found: readonly CompletionCase[] = [];

  constructor(
    private readonly report: CompletionReport,
    private filter: CaseFilter,
    private readonly onFilter: (filter: CaseFilter) => void,
  ) {
    const kinds = positionKinds.filter((kind) => report.cases.some((each) => each.kind === kind));
    const kindChoices = [['all', t('cases.every')] as const, ...kinds.map((kind) => [kind, t(`kind.${kind}`)] as const)];
    const bar = element(
      'div',
      { class: 'toolbar' },
      this.choice(t('cases.kind'), kindChoices, filter.kind, (kind) => ({ kind })),
      report.comparisons.length > 0
        ? this.choice(t('cases.outcome'), this.outcomeChoices(), filter.outcome, (outcome) => ({ outcome }))
        : null,
      element('span', { class: 'spacer' }),
      this.countText,
    );
    this.root = element('section', {}, element('h2', {}, t('cases.title')), bar, this.list, this.more);
    this.show();
  }

  private outcomeChoices(): readonly (readonly [Outcome, string])[] {
    const { arms, comparisons } = this.report;
    const { arm, against } = comparisons[0]!;
    return [
      ['all', t('cases.all')],
      ['won', t('cases.won', arms[arm]!.name)],
      ['lost', t('cases.won', arms[against]!.name)],
      ['both', t('cases.both')],
      ['neither', t('cases.neither')],
    ];
  }

  private choice<Value extends string>(
    label: string,
    choices: readonly (readonly [Value, string])[],
    chosen: Value,
    change: (value: Value) => Partial<CaseFilter>,
  ): HTMLElement {
    const select = element('select', {}, ...choices.map(([value, text]) => element('option', { value }, text)));
    select.value = chosen;
    select.addEventListener('change', () => {
      this.filter = { ...this.filter, ...change(select.value as Value) };
      this.onFilter(this.filter);
      this.show();
    });
    return element('label', { class: 'inline-control' }, element('span', {}, label), select);
  }

  private show(): void {
    const { kind } = this.filter;
    this.found = this.report.cases.filter((each) => (kind === 'all' || each.kind === kind) && this.hasOutcome(each));
    setText(this.countText, t('cases.shown', formatNumber(this.found.length), formatNumber(this.report.cases.length)));
    this.list.replaceChildren();
    this.addPage();
  }

  private hasOutcome({ suggestions }: CompletionCase): boolean {
    const [comparison] = this.report.comparisons;
    if (!comparison || this.filter.outcome === 'all') return true;
    const [own, other] = [comparison.arm, comparison.against].map((arm) => suggestions[arm]!.scores.exactMatch === 1);
    const outcome = own ? (other ? 'both' : 'won') : other ? 'lost' : 'neither';
    return outcome === this.filter.outcome;
  }

  private addPage(): void {
    const from = this.list.childElementCount;
    this.list.append(...this.found.slice(from, from + page).map((each) => caseCard(each, this.report.arms)));
    this.more.hidden = this.list.childElementCount >= this.found.length;
  }
}
