import * as vscode from 'vscode';
import type { FollowedMetrics, FollowedSamples, RunEvent, RunsSnapshot, RunSummary } from '../protocol/backend.js';
import { canPause, canResume, isLive, isProgress, withEvent } from '../protocol/runs.js';
import type { BackendClient, LiveBackend } from './backendClient.js';

/** How often the progress of runs is reported. Drawing it takes processor time from training, so updates are batched. */
const progressIntervalMs = 3000;

interface RunFollower {
  onMetrics(piece: FollowedMetrics): void;
  onSamples(piece: FollowedSamples): void;
}

/** The runs of this window and their followers. Holds nothing that is not in the run directories. */
export class Runs implements vscode.Disposable {
  private known: RunsSnapshot = { runs: [], throughSeq: 0 };
  private readonly changed = new vscode.EventEmitter<void>();
  private readonly events = new vscode.EventEmitter<RunEvent>();
  private readonly replaced = new vscode.EventEmitter<void>();
  private readonly followers = new Map<string, { runId: string; follower: RunFollower }>();
  private lastFollowId = 0;
  private hasLooked = false;
  private hydrating: Promise<void> | undefined;
  private progressTimer: NodeJS.Timeout | undefined;
  /** Fires at once for any change of the list, but only every few seconds for mere progress. */
  readonly onDidChange = this.changed.event;
  /** Individual changes, for listeners that keep a copy. */
  readonly onEvent = this.events.event;
  /** A new backend restarts the numbering of its events, so copies must be made again. */
  readonly onDidReplace = this.replaced.event;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/runs/event', (event) => {
      const before = this.known;
      this.known = withEvent(before, event);
      this.events.fire(event);
      if (isProgress(before, event)) this.progressTimer ??= setTimeout(() => this.tellChange(), progressIntervalMs);
      else this.tellChange();
    });
    backend.handle('loraWorkbench/runs/metrics', (piece) => this.followers.get(piece.followId)?.follower.onMetrics(piece));
    backend.handle('loraWorkbench/runs/samples', (piece) => this.followers.get(piece.followId)?.follower.onSamples(piece));
    backend.onDidStart((live) => (this.hydrating = this.hydrate(live)));
  }

  /** Starts the backend, waits for the first list of runs and returns whether it has arrived. */
  async loaded(): Promise<boolean> {
    await this.backend.wake();
    await this.hydrating?.catch(() => undefined);
    return this.hasLooked;
  }

  /** Newest first. */
  list(): readonly RunSummary[] {
    return this.known.runs;
  }

  get(runId: string): RunSummary | undefined {
    return this.known.runs.find((run) => run.runId === runId);
  }

  snapshot(): RunsSnapshot {
    return this.known;
  }

  /** Sends everything a run has written, then new data as it arrives; starts over after a restart of the backend. */
  follow(runId: string, follower: RunFollower): vscode.Disposable {
    const followId = `follow-${++this.lastFollowId}`;
    this.followers.set(followId, { runId, follower });
    void this.send((live) => live.request('loraWorkbench/runs/follow', { runId, followId }));
    return new vscode.Disposable(() => {
      this.followers.delete(followId);
      void this.send((live) => live.request('loraWorkbench/runs/unfollow', { followId }));
    });
  }

  dispose(): void {
    clearTimeout(this.progressTimer);
    vscode.Disposable.from(this.changed, this.events, this.replaced).dispose();
  }

  private tellChange(): void {
    clearTimeout(this.progressTimer);
    this.progressTimer = undefined;
    this.changed.fire();
  }

  private async hydrate(live: LiveBackend): Promise<void> {
    this.known = await live.request('loraWorkbench/runs/list', null);
    this.hasLooked = true;
    for (const [followId, { runId }] of this.followers) {
      await live.request('loraWorkbench/runs/follow', { runId, followId }).catch(() => undefined);
    }
    this.replaced.fire();
    this.tellChange();
  }

  /** Ignores errors: a backend's followers end with it, and a new backend gets them from `hydrate`. */
  private async send(request: (live: LiveBackend) => Promise<unknown>): Promise<void> {
    await this.backend
      .ready()
      .then(request)
      .catch(() => undefined);
  }
}

/** Context keys that tell which commands make sense. */
export function runContext(runs: readonly RunSummary[]) {
  const statuses = runs.map(({ state }) => state.status);
  return {
    hasRuns: runs.length > 0,
    hasSweep: runs.some(({ sweepId }) => sweepId !== null),
    hasLiveRun: statuses.some(isLive),
    hasPausableRun: statuses.some(canPause),
    hasResumableRun: statuses.some(canResume),
    hasQueuedRun: statuses.includes('queued'),
    hasFailedRun: statuses.includes('failed'),
  };
}
