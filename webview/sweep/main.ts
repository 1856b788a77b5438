/** @file A sweep: a form to plan it, and once it has begun, which run to take and how they compare. */
import { nullable, object, string, type Guard } from '../../src/protocol/guard.js';
import type { SweepState } from '../../src/protocol/views/sweep.js';
import { element } from '../shared/dom.js';
import { post, rememberedViewState, rememberViewState, startView, type Receiver } from '../shared/host.js';
import { t } from '../shared/text.js';
import { isPlanState, planStateOf, type PlanState } from './planState.js';
import { PlanView } from './planView.js';
import { initialReportState, isReportState, type ReportState } from './reportState.js';
import { ReportView } from './reportView.js';

interface ViewState {
  /** What is shown, to be asked for after a reload of the window: a sweep, or else the plan for a run.json. */
  readonly sweepId: string | null;
  readonly path: string | null;
  readonly plan: PlanState | null;
  readonly report: ReportState;
}

const isViewState: Guard<ViewState> = object({
  sweepId: nullable(string),
  path: nullable(string),
  plan: nullable(isPlanState),
  report: isReportState,
});
const fresh: ViewState = { sweepId: null, path: null, plan: null, report: initialReportState };

function openSweep({ runs, shown }: SweepState): Receiver<'sweep'> {
  let viewState = rememberedViewState(isViewState, fresh);
  const remember = (change: Partial<ViewState>) => {
    viewState = { ...viewState, ...change };
    rememberViewState(viewState);
  };
  const main = element('main', { class: 'sweep', 'aria-label': t('sweep.title') });
  document.body.append(main);
  switch (shown.kind) {
    case 'plan': {
      const { path } = shown.plan;
      const plan = (viewState.path === path ? viewState.plan : null) ?? planStateOf(shown.plan);
      remember({ sweepId: null, path, plan });
      return new PlanView(main, shown.plan, plan, (changed) => {
        remember({ plan: changed });
      }).receive;
    }
    case 'report': {
      const { sweepId } = shown.report;
      const report = viewState.sweepId === sweepId ? viewState.report : initialReportState;
      remember({ sweepId, path: null, plan: null, report });
      return new ReportView(main, runs, shown.report, report, (changed) => {
        remember({ report: changed });
      }).receive;
    }
    case 'failed':
      main.append(element('p', { class: 'banner error' }, shown.message));
      return () => undefined;
    case 'nothing': {
      const { sweepId, path } = viewState;
      if (sweepId !== null) post({ type: 'reopenSweep', sweepId });
      else if (path !== null) post({ type: 'reopenPlan', path });
      else main.append(element('p', { class: 'muted' }, t('sweep.nothing')));
      return () => undefined;
    }
  }
}

startView('sweep', openSweep);
