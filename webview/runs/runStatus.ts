import type { RunSummary } from '../../src/protocol/backend.js';
import type { RunStatus } from '../../src/protocol/run.js';
import { canPause, canResume, isLive, secondsLeft } from '../../src/protocol/runs.js';
import { turnOf } from '../../src/protocol/queue.js';
import type { RunCommand } from '../../src/protocol/views/view.js';
import type { PhraseKey } from '../../src/protocol/webviewStrings.js';
import { announce } from '../shared/announce.js';
import { button, element, icon, setText } from '../shared/dom.js';
import { post } from '../shared/host.js';
import type { RunSeries } from '../plots/runSeries.js';
import { courseOf } from './course.js';
import { courseInWords } from './courseText.js';
import { aheadInWords } from './queueText.js';
import { formatBytes, formatDuration, formatNumber, formatValue, ordinalInWords, t } from '../shared/text.js';

const statusIcons: Readonly<Record<RunStatus, string>> = {
  queued: 'watch',
  preparing: 'loading codicon-modifier-spin',
  running: 'play-circle',
  paused: 'debug-pause',
  stopped: 'debug-stop',
  finished: 'pass-filled',
  failed: 'error',
  interrupted: 'warning',
};

export function statusWord(status: RunStatus): string {
  return t(`status.${status}`);
}

/** Commands with an icon of their own; the rest are next steps (runOutcome.ts). */
type StatusCommand = Exclude<RunCommand, 'completion'>;

/**
 * The commands from left to right, at the right end of the header. Stop comes first, and what lies to its right keeps its place,
 * so that nothing moves under the pointer that has just stopped a run. Resume takes the place of Pause.
 */
const order: readonly StatusCommand[] = [
  'dequeue',
  'startNow',
  'stop',
  'pause',
  'resume',
  'showLog',
  'playground',
  'open',
  'reveal',
];

/** When a command has a button. */
const offered: Readonly<Record<StatusCommand, (run: RunSummary) => boolean>> = {
  pause: ({ state }) => canPause(state.status),
  resume: ({ state }) => canResume(state.status),
  stop: ({ state }) => isLive(state.status),
  startNow: ({ state }) => state.status === 'queued',
  dequeue: ({ state }) => state.status === 'queued',
  open: () => true,
  reveal: () => true,
  showLog: () => true,
  playground: () => true,
};

const commandIcons: Readonly<Record<StatusCommand, string>> = {
  pause: 'debug-pause',
  resume: 'debug-continue',
  stop: 'debug-stop',
  startNow: 'play',
  dequeue: 'close',
  open: 'graph-line',
  reveal: 'folder-opened',
  showLog: 'output',
  playground: 'comment-discussion',
};

/** One run at a glance: name, state, progress, figures, and the buttons that act on it. */
export class RunStatusView {
  readonly root: HTMLElement;
  private readonly statusIcon = icon('circle-outline');
  private readonly name = element('span', { class: 'run-name' });
  private readonly progress = element('progress', { max: 1, value: 0 });
  private readonly steps = element('span', { class: 'run-steps' });
  private readonly left = element('span', { class: 'run-left' });
  private readonly course = element('p', { class: 'run-course' });
  private readonly figures = element('dl', { class: 'figures' });
  private readonly message = element('p', { class: 'run-message' });
  private readonly buttons: ReadonlyMap<StatusCommand, HTMLButtonElement>;
  private run: RunSummary | undefined;

  constructor(commands: readonly StatusCommand[]) {
    const inOrder = order.filter((command) => commands.includes(command));
    this.buttons = new Map(inOrder.map((command) => [command, this.commandButton(command)]));
    this.progress.setAttribute('aria-label', t('run.progress'));
    this.root = element(
      'section',
      { class: 'run' },
      element(
        'header',
        { class: 'run-header' },
        this.statusIcon,
        this.name,
        element('span', { class: 'spacer' }),
        element('span', { class: 'run-buttons' }, ...this.buttons.values()),
      ),
      this.progress,
      element('div', { class: 'run-progress-text' }, this.steps, this.left),
      this.course,
      this.figures,
      this.message,
    );
  }

  /** `series`: the metrics received so far; `all`: the runs among which it may wait. */
  update(run: RunSummary, series: RunSeries, all: readonly RunSummary[]): void {
    this.announceMilestones(run);
    this.run = run;
    const { state } = run;
    this.root.dataset['status'] = state.status;
    this.statusIcon.className = `codicon codicon-${statusIcons[state.status]} run-icon`;
    setText(this.name, run.name);
    this.name.title = run.runId;
    this.progress.max = Math.max(1, state.totalSteps);
    this.progress.value = state.step;
    const turn = turnOf(all, run);
    const status = turn ? t('run.place', statusWord(state.status), ordinalInWords(turn.place)) : statusWord(state.status);
    setText(
      this.steps,
      state.totalSteps === 0 ? status : t('run.stateAndSteps', status, formatNumber(state.step), formatNumber(state.totalSteps)),
    );
    const seconds = secondsLeft(run);
    setText(this.left, seconds === undefined ? '' : t('run.left', formatDuration(seconds)));
    const course = turn ? aheadInWords(turn.ahead) : courseInWords(courseOf(series), isLive(state.status));
    setText(this.course, course);
    this.course.hidden = course === '';
    this.updateFigures(run);
    setText(this.message, state.message ?? '');
    this.message.hidden = state.message === null;
    for (const [command, control] of this.buttons) {
      control.hidden = !offered[command](run);
      control.disabled = command === 'playground' && !run.hasAdapter;
    }
  }

  private updateFigures({ state, lastStep, firstEvalLoss }: RunSummary): void {
    const figures: readonly (readonly [PhraseKey, string | undefined])[] = [
      ['figure.loss', lastStep ? formatValue(lastStep.loss) : undefined],
      ['figure.bestEvalLoss', bestSinceFirst(firstEvalLoss, state.bestEvalLoss)],
      [
        'figure.speed',
        lastStep
          ? t('unit.tokensPerSecond', formatNumber(lastStep.tokens_per_second, { maximumSignificantDigits: 3 }))
          : undefined,
      ],
      ['figure.memory', lastStep ? formatBytes(lastStep.peak_memory_bytes) : undefined],
      ['figure.device', state.device || undefined],
    ];
    const known = figures.filter(([, value]) => value !== undefined);
    const signature = known.map(([key]) => key).join();
    if (this.figures.dataset['keys'] !== signature) {
      this.figures.dataset['keys'] = signature;
      this.figures.replaceChildren(...known.map(([key]) => element('div', {}, element('dt', {}, t(key)), element('dd', {}))));
    }
    known.forEach(([, value], index) => {
      setText(this.figures.children[index]!.lastElementChild!, value!);
    });
  }

  private commandButton(command: StatusCommand): HTMLButtonElement {
    return button({
      kind: 'icon',
      icon: commandIcons[command],
      label: t(`command.${command}`),
      onClick: () => {
        if (this.run) post({ type: 'runCommand', runId: this.run.runId, command });
      },
    });
  }

  private announceMilestones(run: RunSummary): void {
    const before = this.run?.runId === run.runId ? this.run.state : undefined;
    if (!before) return;
    const { status, epoch, bestStep, bestEvalLoss } = run.state;
    if (before.status !== status) announce(t('announce.status', run.name, statusWord(status)));
    else if (before.bestStep !== bestStep && bestStep !== null && bestEvalLoss !== null) {
      announce(t('announce.best', run.name, formatValue(bestEvalLoss), formatNumber(bestStep)));
    } else if (Math.floor(before.epoch) < Math.floor(epoch))
      announce(t('announce.epoch', run.name, formatNumber(Math.floor(epoch))));
  }
}

/** "2.61 → 1.33": the held-out loss before the first step, and the best since. */
function bestSinceFirst(first: number | null, best: number | null): string | undefined {
  if (best === null) return undefined;
  return first === null || first === best ? formatValue(best) : `${formatValue(first)} → ${formatValue(best)}`;
}
