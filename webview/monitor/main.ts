/** @file The training monitor in the sidebar: what runs now, or what to do next. */
import type { RunSummary } from '../../src/protocol/backend.js';
import { inQueueOrder } from '../../src/protocol/queue.js';
import { isLive, isOver } from '../../src/protocol/runs.js';
import type { MonitorState } from '../../src/protocol/views/monitor.js';
import { lossPlot, plotLines } from '../plots/lines.js';
import { Plot } from '../plots/plot.js';
import { RunStore } from '../runs/runStore.js';
import { RunStatusView } from '../runs/runStatus.js';
import { WaitingRuns } from '../runs/waitingRuns.js';
import { button, element } from '../shared/dom.js';
import { oncePerFrame, paced } from '../shared/frame.js';
import { post, startView, type Receiver } from '../shared/host.js';
import { t } from '../shared/text.js';
import { onThemeChange, readTheme } from '../shared/theme.js';

const smoothing = 0.6;

/** One run with its small plot. */
class RunCard {
  readonly root: HTMLElement;
  private readonly status = new RunStatusView([
    'startNow',
    'dequeue',
    'pause',
    'resume',
    'stop',
    'playground',
    'showLog',
    'open',
  ]);
  private readonly plot: Plot;

  constructor(
    private readonly runId: string,
    redraw: () => void,
  ) {
    const nothing = () => undefined;
    this.plot = new Plot(
      lossPlot,
      {
        onRange: nothing,
        onHover: (step) => {
          this.plot.hover(step);
        },
        onZoomKey: nothing,
        onResize: redraw,
      },
      true,
    );
    this.root = element('article', { class: 'run-card' }, this.status.root, this.plot.root);
  }

  close(): void {
    this.plot.close();
  }

  updateStatus(store: RunStore): void {
    const run = store.get(this.runId);
    const [drawn] = store.boardRuns([this.runId]);
    if (run && drawn) this.status.update(run, drawn.series, store.all);
  }

  draw(store: RunStore): void {
    const [drawn] = store.boardRuns([this.runId]);
    if (!drawn) return;
    const range = [drawn.series.firstStep ?? 0, Math.max(2, drawn.series.lastStep)] as const;
    this.plot.draw(plotLines(lossPlot, [drawn], smoothing), { range, logScale: false, asTable: false }, readTheme());
  }
}

/** The live runs, or else the one whose turn is next, or else the newest one. */
function shownRuns(store: RunStore): readonly RunSummary[] {
  const live = store.all.filter(({ state }) => isLive(state.status));
  return live.length > 0 ? live : [...inQueueOrder(store.all), ...store.all].slice(0, 1);
}

function emptyState(trusted: boolean): HTMLElement {
  const [text, label, message] = trusted
    ? [t('monitor.empty'), t('monitor.fineTune'), { type: 'fineTune' } as const]
    : [t('monitor.untrusted'), t('monitor.manageTrust'), { type: 'manageTrust' } as const];
  return element(
    'div',
    { class: 'empty-state' },
    element('p', {}, text),
    button({
      kind: 'primary',
      label,
      onClick: () => {
        post(message);
      },
    }),
  );
}

function openMonitor(state: MonitorState): Receiver<'monitor'> {
  const store = new RunStore(state.runs);
  const cards = new Map<string, RunCard>();
  const list = element('main', { class: 'monitor', 'aria-label': t('monitor.title') });
  const queue = new WaitingRuns();
  document.body.append(list);

  const draw = oncePerFrame(() => {
    const runs = state.trusted ? shownRuns(store) : [];
    const runIds = runs.map(({ runId }) => runId);
    store.follow(runIds);
    if (layOut(runIds)) drawPlots();
    queue.update(inQueueOrder(store.all).filter(({ runId }) => !runIds.includes(runId)));
    for (const card of cards.values()) card.updateStatus(store);
  });
  const drawPlots = oncePerFrame(() => {
    for (const card of cards.values()) card.draw(store);
  });
  const progressed = paced(list, () => {
    for (const card of cards.values()) {
      card.updateStatus(store);
      card.draw(store);
    }
  });

  /** Returns whether the runs to show have changed. */
  function layOut(runIds: readonly string[]): boolean {
    const isIdle = runIds.every((runId) => isOver(store.get(runId)!.state.status));
    const signature = JSON.stringify([isIdle, runIds]);
    if (list.dataset['shown'] === signature) return false;
    list.dataset['shown'] = signature;
    for (const [runId, card] of cards) {
      if (runIds.includes(runId)) continue;
      card.close();
      cards.delete(runId);
    }
    for (const runId of runIds) if (!cards.has(runId)) cards.set(runId, new RunCard(runId, drawPlots));
    const shown = runIds.map((runId) => cards.get(runId)!.root);
    list.replaceChildren(...shown, queue.root, ...(isIdle ? [emptyState(state.trusted)] : []));
    return true;
  }

  onThemeChange(drawPlots);
  draw();
  return (message) => {
    if (store.receive(message) === 'progress') progressed();
    else draw();
  };
}

startView('monitor', openMonitor);
