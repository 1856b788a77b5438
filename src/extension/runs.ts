import * as vscode from 'vscode';
import type { FollowedMetrics, RunEvent, RunsSnapshot, RunSummary } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';
import { canResume, isTraining, noRuns, reduceRuns, sortedRuns, type RunStoreState } from './runStore.js';

export type MetricsListener = (piece: FollowedMetrics) => void;

/** The runs of this window and whoever watches their metrics. Holds nothing that is not in the run directories. */
export class Runs implements vscode.Disposable {
  private state: RunStoreState = noRuns;
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly events = new vscode.EventEmitter<RunEvent>();
  private readonly replaced = new vscode.EventEmitter<void>();
  private readonly followers = new Map<string, { runId: string; listener: MetricsListener }>();
  private lastFollowId = 0;
  private hydrating: Promise<void> | undefined;
  /** Any change of the list. */
  readonly onDidChange = this.changed.event;
  /** Single changes, for those who keep a copy. */
  readonly onEvent = this.events.event;
  /** A new backend counts its events anew: copies must be made again. */
  readonly onDidReplace = this.replaced.event;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/runs/event', (event) => {
      this.state = reduceRuns(this.state, { kind: 'event', event });
      this.events.fire(event);
      this.changed.fire();
    });
    backend.handle('loraWorkbench/runs/metrics', (piece) => this.followers.get(piece.followId)?.listener(piece));
    backend.onDidStart((live) => (this.hydrating = this.hydrate(live)));
  }

  /** When the first look is taken; starts the backend for it. */
  async looked(): Promise<void> {
    await this.backend.wake();
    await this.hydrating?.catch(() => undefined);
  }

  list(): RunSummary[] {
    return sortedRuns(this.state);
  }

  get(runId: string): RunSummary | undefined {
    return this.state.runs.get(runId);
  }

  snapshot(): RunsSnapshot {
    return { runs: this.list(), throughSeq: this.state.throughSeq };
  }

  /** All metrics of a run from its start, then the new ones as they come; again from the start after the backend restarted. */
  follow(runId: string, listener: MetricsListener): vscode.Disposable {
    const followId = `follow-${++this.lastFollowId}`;
    this.followers.set(followId, { runId, listener });
    void this.send((live) => live.request('loraWorkbench/runs/follow', { runId, followId }));
    return new vscode.Disposable(() => {
      this.followers.delete(followId);
      void this.send((live) => live.request('loraWorkbench/runs/unfollow', { followId }));
    });
  }

  dispose(): void {
    vscode.Disposable.from(this.changed, this.events, this.replaced).dispose();
  }

  private async hydrate(live: LiveBackend): Promise<void> {
    const snapshot = await live.request('loraWorkbench/runs/list', null);
    this.state = reduceRuns(this.state, { kind: 'snapshot', snapshot });
    for (const [followId, { runId }] of this.followers) {
      await live.request('loraWorkbench/runs/follow', { runId, followId }).catch(() => undefined);
    }
    this.replaced.fire();
    this.changed.fire();
  }

  /** A backend that is gone takes its followers with it, and a new one gets them from `hydrate`. */
  private async send(request: (live: LiveBackend) => Promise<unknown>): Promise<void> {
    await this.backend
      .ready()
      .then(request)
      .catch(() => undefined);
  }
}

/** Which commands make sense, as context keys. */
export function runContext(runs: readonly RunSummary[]) {
  return {
    hasRuns: runs.length > 0,
    hasActiveRun: runs.some(isTraining),
    hasPausedRun: runs.some((run) => run.state.status === 'paused'),
    hasResumableRun: runs.some(canResume),
  };
}
