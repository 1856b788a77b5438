import type { RunsSnapshot } from '../../src/protocol/backend.js';
import { isOver } from '../../src/protocol/runs.js';
import type { SweepReport } from '../../src/protocol/sweep.js';
import { isResumable, progressOf } from '../../src/protocol/sweepProgress.js';
import { PlotBoard } from '../plots/board.js';
import { RunChooser } from '../runs/runChooser.js';
import { isForRunStore, RunStore } from '../runs/runStore.js';
import { announce } from '../shared/announce.js';
import { button, element, setText } from '../shared/dom.js';
import { oncePerFrame, paced } from '../shared/frame.js';
import { post, type Receiver } from '../shared/host.js';
import { counted, formatDuration, formatNumber, t } from '../shared/text.js';
import { onThemeChange } from '../shared/theme.js';
import { headline, recommendationInWords } from './headline.js';
import type { ReportState } from './reportState.js';
import { ResultPlot } from './resultPlot.js';
import { resultTable } from './resultTable.js';
import { runInWords } from './words.js';

/** So many curves can be told apart by colour and dash. */
const maxCurves = 12;

/** How a sweep stands: which run to take, the losses as a plot, all figures as a table, and the curves. */
export class ReportView {
  private readonly head = element('div', {});
  private readonly progress = element('progress', { max: 1, 'aria-label': t('run.progress') });
  private readonly progressText = element('span', { class: 'muted' });
  private readonly failures = element('p', { class: 'banner warning', role: 'status', hidden: true });
  private readonly stop = poster('debug-stop', 'sweep.stop', 'stopSweep');
  private readonly resume = poster('debug-continue', 'sweep.resume', 'resumeSweep');
  private readonly evaluate = poster('beaker', 'sweep.evaluate', 'evaluateSweep');
  private readonly completions = poster('list-unordered', 'sweep.completions', 'showCompletions');
  private readonly plot = new ResultPlot((choice) => {
    this.change(choice);
  });
  private readonly table = element('div', {
    class: 'sweep-table',
    tabindex: 0,
    role: 'region',
    'aria-label': t('sweep.table'),
  });
  private readonly store: RunStore;
  private readonly board: PlotBoard;
  private readonly chooser = new RunChooser((drawn) => {
    this.change({ drawn });
  });
  private readonly refresh = oncePerFrame(() => {
    this.update();
  });
  private readonly progressed = paced(document.body, () => {
    this.board.draw();
  });

  constructor(
    main: HTMLElement,
    runs: RunsSnapshot,
    private report: SweepReport,
    private state: ReportState,
    private readonly onChange: (state: ReportState) => void,
  ) {
    this.store = new RunStore(runs);
    this.board = new PlotBoard(state.board, (board) => {
      this.change({ board });
    });
    main.classList.add('sweep-report');
    main.append(
      element('header', { class: 'sweep-head' }, this.head, this.progressBar(), this.failures),
      this.plot.root,
      element('section', {}, this.tableHead(), this.table),
      element(
        'section',
        {},
        element('h2', {}, t('sweep.curves')),
        element('details', { class: 'overlay' }, element('summary', {}, t('sweep.curves.choose')), this.chooser.root),
        this.board.root,
      ),
    );
    onThemeChange(() => {
      this.plot.show(this.report, this.state, true);
    });
    this.update();
  }

  readonly receive: Receiver<'sweep'> = (message) => {
    if (isForRunStore(message)) return this.store.receive(message) === 'progress' ? this.progressed() : this.refresh();
    if (message.type !== 'report') return;
    const before = recommendationInWords(this.report);
    this.report = message.report;
    const now = recommendationInWords(this.report);
    if (now !== before) announce(now);
    this.refresh();
  };

  private progressBar(): HTMLElement {
    const line = element(
      'div',
      { class: 'sweep-progress-text' },
      this.progressText,
      element('span', { class: 'spacer' }),
      this.resume,
      this.stop,
    );
    return element('div', { class: 'sweep-progress' }, this.progress, line);
  }

  private tableHead(): HTMLElement {
    const actions = element('span', { class: 'head-actions' }, this.completions, this.evaluate);
    return element('header', { class: 'panel-header' }, element('h2', {}, t('sweep.table')), actions);
  }

  private change(change: Partial<ReportState>): void {
    this.state = { ...this.state, ...change };
    this.onChange(this.state);
    this.refresh();
  }

  private update(): void {
    const { report, state } = this;
    const made = headline(report);
    if (!made.isEqualNode(this.head.firstChild)) this.head.replaceChildren(made);
    this.updateProgress();
    this.plot.show(report, state);
    const hasAdapter = (runId: string) => this.store.get(runId)?.hasAdapter === true;
    replaceKeepingFocus(
      this.table,
      resultTable(report, state.sort, hasAdapter, (sort) => {
        this.change({ sort });
      }),
    );
    this.updateCurves();
  }

  private updateProgress(): void {
    const { report } = this;
    const { done, failed, left, share, secondsLeft } = progressOf(report);
    this.progress.value = share;
    this.progress.hidden = report.isComplete;
    const parts = [
      t('sweep.done', formatNumber(done), formatNumber(report.rows.length)),
      ...(left > 0 ? [counted('sweep.leftCount', left)] : []),
      ...(failed > 0 ? [counted('sweep.failedCount', failed)] : []),
      ...(secondsLeft === undefined || report.isComplete ? [] : [t('run.left', formatDuration(secondsLeft))]),
    ];
    setText(this.progressText, parts.join(' · '));
    this.stop.hidden = report.rows.every(({ status }) => isOver(status));
    this.resume.hidden = !report.isComplete || !report.rows.some(isResumable);
    // While runs train, an evaluation would slow them, and would have to be repeated for those still to come.
    this.evaluate.hidden = !report.isOfCode || !report.isComplete || !report.rows.some(({ status }) => status === 'finished');
    this.completions.hidden = !report.rows.some(({ completion }) => completion);
    const failure = report.rows.find(({ status }) => status === 'failed');
    const message = failure && this.store.get(failure.runId)?.state.message;
    this.failures.hidden = !failure;
    if (!failure) return;
    const words = runInWords(failure);
    setText(this.failures, message ? t('sweep.failure', words, message) : t('sweep.failureUnknown', words));
  }

  private updateCurves(): void {
    const { rows } = this.report;
    const words = new Map(rows.map((row) => [row.runId, runInWords(row)]));
    const known = this.store.all.filter(({ runId }) => words.has(runId)).map((run) => ({ ...run, name: words.get(run.runId)! }));
    const drawn = (this.state.drawn ?? this.usualCurves()).filter((runId) => words.has(runId));
    this.chooser.update(known, drawn);
    this.store.follow(drawn);
    this.board.show(this.store.boardRuns(drawn).map((run) => ({ ...run, name: words.get(run.runId)! })));
    this.board.root.hidden = drawn.length === 0;
  }

  /** Those with the lowest losses, in the order in which they were planned. */
  private usualCurves(): readonly string[] {
    const rows = this.report.rows.filter(({ step }) => step > 0);
    const byLoss = [...rows].sort((a, b) => (a.heldOutLoss ?? Infinity) - (b.heldOutLoss ?? Infinity));
    const best = new Set(byLoss.slice(0, maxCurves));
    return rows.filter((row) => best.has(row)).map(({ runId }) => runId);
  }
}

type Action = 'stopSweep' | 'resumeSweep' | 'evaluateSweep' | 'showCompletions';

/** A button that asks the host for something. */
function poster(
  icon: string,
  key: 'sweep.stop' | 'sweep.resume' | 'sweep.evaluate' | 'sweep.completions',
  type: Action,
): HTMLButtonElement {
  return button({
    icon,
    label: t(key),
    title: t(`${key}.help`),
    onClick: () => {
      post({ type });
    },
  });
}

/** Keeps a selection if nothing has changed, and the focus in any case. */
function replaceKeepingFocus(container: HTMLElement, made: HTMLElement): void {
  if (made.isEqualNode(container.firstChild)) return;
  const focused = container.contains(document.activeElement)
    ? (document.activeElement as HTMLElement).dataset['focus']
    : undefined;
  container.replaceChildren(made);
  if (focused === undefined) return;
  for (const each of container.querySelectorAll<HTMLElement>('[data-focus]')) if (each.dataset['focus'] === focused) each.focus();
}
