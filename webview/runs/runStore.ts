import type { RunSummary, RunsSnapshot } from '../../src/protocol/backend.js';
import type { Metric, Sample } from '../../src/protocol/run.js';
import type { RunConfig } from '../../src/protocol/runConfig.js';
import { isProgress, withEvent } from '../../src/protocol/runs.js';
import type { ToRunViewer } from '../../src/protocol/views/runViewer.js';
import type { BoardRun } from '../plots/lines.js';
import { RunSeries } from '../plots/runSeries.js';
import { post } from '../shared/host.js';

const noSamples: readonly Sample[] = [];

/** What this view knows about the runs: the host's snapshot, updated event by event, and the output of the runs it follows. */
export class RunStore {
  private readonly series = new Map<string, RunSeries>();
  /** Runs that were requested again because metrics were missing. */
  private readonly askedAnew = new Set<string>();
  private readonly configs = new Map<string, RunConfig>();
  private readonly sampled = new Map<string, readonly Sample[]>();

  constructor(private known: RunsSnapshot) {}

  /** Newest first. */
  get all(): readonly RunSummary[] {
    return this.known.runs;
  }

  get(runId: string | null): RunSummary | undefined {
    return this.known.runs.find((run) => run.runId === runId);
  }

  config(runId: string): RunConfig | undefined {
    return this.configs.get(runId);
  }

  /** The samples received so far, for a run that is followed. */
  samples(runId: string | undefined): readonly Sample[] {
    return this.sampled.get(runId ?? '') ?? noSamples;
  }

  /** Those of the runs that are followed, with the metrics received so far. */
  boardRuns(runIds: readonly string[]): BoardRun[] {
    return runIds.flatMap((runId) => {
      const run = this.get(runId);
      const series = this.series.get(runId);
      return run && series ? [{ runId, name: run.name, series }] : [];
    });
  }

  /** Asks for the metrics of these runs and no others. */
  follow(runIds: readonly string[]): void {
    const unchanged = runIds.length === this.series.size && runIds.every((runId) => this.series.has(runId));
    if (unchanged) return;
    for (const runId of this.series.keys()) if (!runIds.includes(runId)) this.forget(runId);
    for (const runId of runIds) if (!this.series.has(runId)) this.series.set(runId, new RunSeries());
    this.askForAll();
  }

  /** Returns whether it was mere progress, which may be drawn later, or a change. */
  receive(message: ToRunViewer): 'progress' | 'change' {
    switch (message.type) {
      case 'runEvent': {
        const before = this.known;
        this.known = withEvent(before, message.event);
        return isProgress(before, message.event) ? 'progress' : 'change';
      }
      case 'metrics':
        this.append(message.runId, message.first, message.metrics);
        return 'progress';
      case 'samples':
        this.sampled.set(message.runId, [...this.samples(message.runId).slice(0, message.first), ...message.samples]);
        return 'change';
      case 'runConfig':
        this.configs.set(message.runId, message.config);
        return 'change';
    }
  }

  private append(runId: string, first: number, metrics: readonly Metric[]): void {
    const series = this.series.get(runId);
    if (!series || series.append(first, metrics)) return;
    // Metrics were lost: let the host send this run from the beginning. If that is incomplete too, it always will be.
    if (this.askedAnew.has(runId)) return series.appendAfterGap(first, metrics);
    this.askedAnew.add(runId);
    post({ type: 'follow', runIds: [...this.series.keys()].filter((other) => other !== runId) });
    this.askForAll();
  }

  private forget(runId: string): void {
    this.series.delete(runId);
    this.sampled.delete(runId);
  }

  private askForAll(): void {
    post({ type: 'follow', runIds: [...this.series.keys()] });
  }
}

/** Whether a RunStore handles the message. */
export function isForRunStore(message: { readonly type: string }): message is ToRunViewer {
  return ['runEvent', 'metrics', 'samples', 'runConfig'].includes(message.type);
}
