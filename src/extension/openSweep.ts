import { dirname } from 'node:path';
import * as vscode from 'vscode';
import { isLive } from '../protocol/runs.js';
import type { SweepReport } from '../protocol/sweep.js';
import { isResumable } from '../protocol/sweepProgress.js';
import type { FromSweep, ShownSweep, SweepPlan, SweepState } from '../protocol/views/sweep.js';
import type { ConfigDocument } from './configDocument.js';
import { commandId } from './contributions.js';
import { DataLookup } from './dataLookup.js';
import type { SweepServices } from './sweepPanel.js';
import { RunViewerSession } from './webviews/runViewerSession.js';

/** What a panel begins with. */
export type SweepContent =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'plan'; readonly document: ConfigDocument }
  | { readonly kind: 'report'; readonly report: SweepReport };

/** How long the shared settings rest before they are checked again. */
const restMs = 300;
/** Between two looks for a measurement that is awaited. */
const shortestPauseMs = 1000;
const longestPauseMs = 60_000;

/** An open sweep: its plan, and once it has been started, its report, read again whenever one of its runs has changed. */
export class OpenSweep implements vscode.Disposable {
  private readonly session: RunViewerSession<'sweep'>;
  private readonly data: DataLookup;
  private shown: ShownSweep = { kind: 'nothing' };
  private document: ConfigDocument | undefined;
  private documentChanges: vscode.Disposable | undefined;
  private checkTimer: NodeJS.Timeout | undefined;
  private lastRuns = '';
  private measuringTimer: NodeJS.Timeout | undefined;
  private measuringPauseMs = shortestPauseMs;
  private isReading = false;
  private isStale = false;
  private readonly runsChanges: vscode.Disposable;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly services: SweepServices,
    content: SweepContent,
    private readonly open: (uri: vscode.Uri) => Promise<ConfigDocument>,
  ) {
    this.data = new DataLookup(services.backend, ({ kind }) => {
      // What a run takes depends on the data.
      if (kind === 'ready') void this.check();
    });
    this.session = new RunViewerSession(panel.webview, 'sweep', services, {
      state: () => this.state(),
      receive: (message) => this.receive(message),
    });
    this.runsChanges = services.runs.onDidChange(() => this.runsChanged());
    if (content.kind === 'plan') this.showPlan(content.document);
    if (content.kind === 'report') this.showReport(content.report);
  }

  /** The sweep whose report is shown. */
  get sweepId(): string | undefined {
    return this.shown.kind === 'report' ? this.shown.report.sweepId : undefined;
  }

  dispose(): void {
    this.leavePlan();
    clearTimeout(this.measuringTimer);
    vscode.Disposable.from(this.runsChanges, this.session).dispose();
  }

  private state(): SweepState {
    return { runs: this.services.runs.snapshot(), shown: this.shown };
  }

  private showPlan(document: ConfigDocument): void {
    this.leavePlan();
    this.document = document;
    this.documentChanges = document.onDidChange(() => {
      clearTimeout(this.checkTimer);
      this.checkTimer = setTimeout(() => void this.check().catch(this.services.onError), restMs);
    });
    const plan = { ...this.origin(document), check: null, modelShape: null, rows: null };
    this.replace({ kind: 'plan', plan });
    void this.check().catch(this.services.onError);
  }

  /** The settings that a run was started with are its record, and nobody should edit them. */
  private origin(document: ConfigDocument): Pick<SweepPlan, 'path' | 'name' | 'isRecord'> {
    const path = document.uri.fsPath;
    return { path, name: document.shown().name, isRecord: this.services.runs.get(dirname(path)) !== undefined };
  }

  private leavePlan(): void {
    clearTimeout(this.checkTimer);
    this.data.cancel();
    this.documentChanges?.dispose();
    this.document?.dispose();
    this.document = undefined;
  }

  private showReport(report: SweepReport): void {
    this.leavePlan();
    this.panel.title = vscode.l10n.t('Sweep: {0}', report.name);
    this.replace({ kind: 'report', report });
    this.awaitMeasurements(report);
  }

  private replace(shown: ShownSweep): void {
    this.shown = shown;
    this.session.hydrate();
  }

  /** Checks the shared settings, and reads the data that they name, on which the number of steps depends. */
  private async check(): Promise<void> {
    const { document } = this;
    const text = document?.text();
    if (!document || !text) return;
    const backend = await this.services.backend.ready();
    const checked = await backend.request('loraWorkbench/config/check', text);
    if (document !== this.document) return;
    if (checked.check?.ok) void this.data.lookAt(text);
    const { state } = this.data;
    const rows = state.kind === 'ready' ? state.overview.rows : null;
    const plan: SweepPlan = { ...this.origin(document), ...checked, rows };
    this.shown = { kind: 'plan', plan };
    this.session.post({ type: 'plan', plan });
  }

  /** Other runs are none of this sweep's business. */
  private runsChanged(): void {
    const { sweepId } = this;
    if (sweepId === undefined) return;
    const states = this.services.runs.list().filter((run) => run.sweepId === sweepId);
    const signature = JSON.stringify(states.map(({ runId, name, state }) => [runId, name, state.updatedAt, state.status]));
    if (signature === this.lastRuns) return;
    this.lastRuns = signature;
    this.measuringPauseMs = shortestPauseMs;
    void this.readAgain();
  }

  /** A run's measurement on the held-out data comes some time after its end, and nothing tells of it. */
  private awaitMeasurements({ rows }: SweepReport): void {
    clearTimeout(this.measuringTimer);
    if (!rows.some(({ status, toBest }) => status === 'finished' && !toBest)) return;
    this.measuringTimer = setTimeout(() => void this.readAgain(), this.measuringPauseMs);
    this.measuringPauseMs = Math.min(2 * this.measuringPauseMs, longestPauseMs);
  }

  /** One reading at a time; what changes meanwhile is read afterwards. */
  private async readAgain(): Promise<void> {
    if (this.shown.kind !== 'report') return;
    this.isStale = true;
    if (this.isReading) return;
    this.isReading = true;
    try {
      while (this.isStale && this.shown.kind === 'report') {
        this.isStale = false;
        const report = await this.read(this.shown.report.sweepId);
        this.shown = { kind: 'report', report };
        this.session.post({ type: 'report', report });
        this.awaitMeasurements(report);
      }
    } catch (error) {
      this.fail(error);
    } finally {
      this.isReading = false;
    }
  }

  private async read(sweepId: string): Promise<SweepReport> {
    return (await this.services.backend.ready()).request('loraWorkbench/sweeps/report', { sweepId });
  }

  private fail(error: unknown): void {
    this.replace({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }

  private async receive(message: FromSweep): Promise<void> {
    switch (message.type) {
      case 'reopenPlan':
        return this.showPlan(await this.open(vscode.Uri.file(message.path)));
      case 'reopenSweep':
        return this.read(message.sweepId).then(
          (report) => this.showReport(report),
          (error: unknown) => this.fail(error),
        );
      case 'editSettings':
        if (this.document) await vscode.commands.executeCommand(commandId('openInPanel'), this.document.uri);
        return;
      case 'start':
        return this.start(message);
      case 'stopSweep':
        return this.stop();
      case 'resumeSweep':
        return this.resume();
    }
  }

  private async start({ name, parameters, halving }: Extract<FromSweep, { type: 'start' }>): Promise<void> {
    try {
      const text = (await this.document?.settled())?.readable();
      if (!text) return;
      const failure = this.data.failureOf(text);
      if (failure !== undefined) throw new Error(failure);
      const backend = await this.services.backend.ready();
      const { sweepId } = await backend.request('loraWorkbench/sweeps/start', { text, name, parameters, halving });
      this.showReport(await this.read(sweepId));
    } catch (error) {
      this.session.post({ type: 'startFailed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** First those that wait, so that none of them begins when the one at work ends. */
  private async stop(): Promise<void> {
    const backend = await this.services.backend.ready();
    const rows = this.shown.kind === 'report' ? this.shown.report.rows : [];
    const waiting = rows.filter(({ status }) => status === 'queued').map(({ runId }) => runId);
    await backend.request('loraWorkbench/runs/dequeue', { runIds: waiting });
    for (const { runId } of rows.filter(({ status }) => isLive(status)))
      await backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
  }

  private async resume(): Promise<void> {
    const backend = await this.services.backend.ready();
    const rows = this.shown.kind === 'report' ? this.shown.report.rows : [];
    for (const row of rows.filter(isResumable)) await backend.request('loraWorkbench/runs/resume', { runId: row.runId });
  }
}
