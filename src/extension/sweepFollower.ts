import * as vscode from 'vscode';
import { isLive } from '../protocol/runs.js';
import type { SweepReport } from '../protocol/sweep.js';
import { isResumable } from '../protocol/sweepProgress.js';
import type { RunViewerServices } from './webviews/runViewerSession.js';

/** Between two looks for a measurement that is awaited. */
const shortestPauseMs = 1000;
const longestPauseMs = 60_000;

/** A sweep's report, read again whenever one of its runs has changed. */
export class SweepFollower implements vscode.Disposable {
  private readonly changes: vscode.Disposable;
  private runsSeen = '';
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = shortestPauseMs;
  private isReading = false;
  private isStale = false;
  private isDisposed = false;

  /** `fail` is called when the sweep is gone. */
  constructor(
    public report: SweepReport,
    private readonly services: RunViewerServices,
    private readonly tell: (report: SweepReport) => void,
    private readonly fail: (error: unknown) => void,
  ) {
    this.changes = services.runs.onDidChange(() => this.runsChanged());
    this.awaitMeasurements();
  }

  dispose(): void {
    this.isDisposed = true;
    clearTimeout(this.timer);
    this.changes.dispose();
  }

  /** One reading at a time; what changes meanwhile is read afterwards. */
  async refresh(): Promise<void> {
    this.isStale = true;
    if (this.isReading) return;
    this.isReading = true;
    try {
      while (this.isStale && !this.isDisposed) {
        this.isStale = false;
        this.report = await readSweepReport(this.services, this.report.sweepId);
        if (this.isDisposed) return;
        this.tell(this.report);
        this.awaitMeasurements();
      }
    } catch (error) {
      // A backend that ends is replaced, and then there is a next time.
      if (!this.isDisposed && this.runs().length === 0) this.fail(error);
    } finally {
      this.isReading = false;
    }
  }

  /** First takes those that wait out of the queue, so that none of them begins when the one at work ends. */
  async stop(): Promise<void> {
    const backend = await this.services.backend.ready();
    const { rows } = this.report;
    const waiting = rows.filter(({ status }) => status === 'queued').map(({ runId }) => runId);
    await backend.request('loraWorkbench/runs/dequeue', { runIds: waiting });
    for (const { runId } of rows.filter(({ status }) => isLive(status)))
      await backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
  }

  async resume(): Promise<void> {
    const backend = await this.services.backend.ready();
    for (const { runId } of this.report.rows.filter(isResumable)) await backend.request('loraWorkbench/runs/resume', { runId });
  }

  /** Other runs are none of this sweep's business. */
  private runsChanged(): void {
    const signature = JSON.stringify(this.runs().map(({ runId, name, state }) => [runId, name, state.updatedAt, state.status]));
    if (signature === this.runsSeen) return;
    this.runsSeen = signature;
    this.pauseMs = shortestPauseMs;
    void this.refresh();
  }

  private runs() {
    return this.services.runs.list().filter(({ sweepId }) => sweepId === this.report.sweepId);
  }

  /** A run is measured on the held-out data some time after its end, and nothing tells of that. */
  private awaitMeasurements(): void {
    clearTimeout(this.timer);
    if (!this.report.rows.some(({ status, toBest }) => status === 'finished' && !toBest)) return;
    this.timer = setTimeout(() => void this.refresh(), this.pauseMs);
    this.pauseMs = Math.min(2 * this.pauseMs, longestPauseMs);
  }
}

export async function readSweepReport({ backend }: RunViewerServices, sweepId: string): Promise<SweepReport> {
  return (await backend.ready()).request('loraWorkbench/sweeps/report', { sweepId });
}
