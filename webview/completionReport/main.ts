/** @file The report of an evaluation of inline completion: the headline, the scores, the differences, and every suggestion. */
import type { CompletionReport } from '../../src/protocol/completionReport.js';
import { nullable, object, string, type Guard } from '../../src/protocol/guard.js';
import type { CompletionReportState } from '../../src/protocol/views/completionReport.js';
import { element } from '../shared/dom.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { t } from '../shared/text.js';
import { onThemeChange } from '../shared/theme.js';
import { CaseList, isCaseFilter, unfiltered, type CaseFilter } from './caseList.js';
import { differencesSection } from './differences.js';
import { headlineSection } from './headline.js';
import { kindsSection } from './kinds.js';
import { scoresSection } from './scores.js';

interface ViewState {
  readonly runId: string | null;
  readonly filter: CaseFilter;
}

const isViewState: Guard<ViewState> = object({ runId: nullable(string), filter: isCaseFilter });

function openReport({ runId, report }: CompletionReportState): Receiver<'completionReport'> {
  const remembered = rememberedViewState<ViewState>(isViewState, { runId, filter: unfiltered });
  const main = element('main', { class: 'report-page', 'aria-label': t('report.title') });
  document.body.append(main);
  if (report) {
    rememberViewState({ ...remembered, runId });
    const list = new CaseList(report, remembered.filter, (filter) => {
      rememberViewState({ runId, filter });
    });
    fill(main, report, list.root);
  } else if (runId === null && remembered.runId !== null) {
    post({ type: 'openReport', runId: remembered.runId });
  } else {
    main.append(element('p', { class: 'muted' }, t('report.none')));
  }
  return () => undefined;
}

function fill(main: HTMLElement, report: CompletionReport, cases: HTMLElement): void {
  const sections = [differencesSection(report), kindsSection(report)];
  main.append(headlineSection(report), scoresSection(report), ...sections.map(({ root }) => root), cases);
  const draw = () => {
    for (const plot of sections.flatMap(({ plots }) => plots)) plot.draw();
  };
  draw();
  onThemeChange(draw);
}

startView('completionReport', openReport);
