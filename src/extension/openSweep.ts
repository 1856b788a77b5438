import * as vscode from 'vscode';
import type { SweepReport } from '../protocol/sweep.js';
import type { FromSweep, ShownSweep, SweepState } from '../protocol/views/sweep.js';
import type { ConfigDocument } from './configDocument.js';
import { commandId } from './contributions.js';
import { readSweepReport, SweepFollower } from './sweepFollower.js';
import type { SweepServices } from './sweepPanel.js';
import { SweepPlanner } from './sweepPlanner.js';
import { RunViewerSession } from './webviews/runViewerSession.js';

/** What a panel begins with. */
export type SweepContent =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'plan'; readonly document: ConfigDocument }
  | { readonly kind: 'report'; readonly report: SweepReport };

/** What a panel shows at present. */
type Present = SweepPlanner | SweepFollower | { readonly failure: string } | undefined;

/** An open sweep: its plan and, once it has been started, its report. */
export class OpenSweep implements vscode.Disposable {
  private readonly session: RunViewerSession<'sweep'>;
  private present: Present;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly services: SweepServices,
    content: SweepContent,
    private readonly open: (uri: vscode.Uri) => Promise<ConfigDocument>,
  ) {
    this.session = new RunViewerSession(panel.webview, 'sweep', services, {
      state: () => this.state(),
      receive: (message) => this.receive(message),
    });
    if (content.kind === 'plan') this.showPlan(content.document);
    if (content.kind === 'report') this.showReport(content.report);
  }

  /** The sweep whose report is shown. */
  get sweepId(): string | undefined {
    return this.present instanceof SweepFollower ? this.present.report.sweepId : undefined;
  }

  /** Reads the report again, because something but its runs has changed. */
  async refresh(): Promise<void> {
    if (this.present instanceof SweepFollower) await this.present.refresh();
  }

  dispose(): void {
    this.leave();
    this.session.dispose();
  }

  private showPlan(document: ConfigDocument): void {
    this.show(new SweepPlanner(document, this.services, (plan) => this.session.post({ type: 'plan', plan })));
  }

  private showReport(report: SweepReport): void {
    this.panel.title = vscode.l10n.t('Sweep: {0}', report.name);
    const tell = (changed: SweepReport) => this.session.post({ type: 'report', report: changed });
    this.show(new SweepFollower(report, this.services, tell, (error) => this.show({ failure: messageOf(error) })));
  }

  private show(next: Present): void {
    this.leave();
    this.present = next;
    this.session.hydrate();
  }

  private leave(): void {
    if (this.present && 'dispose' in this.present) this.present.dispose();
    this.present = undefined;
  }

  private state(): SweepState {
    return { runs: this.services.runs.snapshot(), shown: this.shown() };
  }

  private shown(): ShownSweep {
    const { present } = this;
    if (!present) return { kind: 'nothing' };
    if (present instanceof SweepPlanner) return { kind: 'plan', plan: present.plan };
    if (present instanceof SweepFollower) return { kind: 'report', report: present.report };
    return { kind: 'failed', message: present.failure };
  }

  private async receive(message: FromSweep): Promise<void> {
    const { present } = this;
    switch (message.type) {
      case 'reopenPlan':
        return this.showPlan(await this.open(vscode.Uri.file(message.path)));
      case 'reopenSweep':
        return this.reopen(message.sweepId);
      case 'editSettings':
        if (present instanceof SweepPlanner) await vscode.commands.executeCommand(commandId('openInPanel'), present.uri);
        return;
      case 'start':
        if (present instanceof SweepPlanner) await this.start(present, message);
        return;
      case 'stopSweep':
        if (present instanceof SweepFollower) await present.stop();
        return;
      case 'resumeSweep':
        if (present instanceof SweepFollower) await present.resume();
        return;
      case 'evaluateSweep':
        return vscode.commands.executeCommand(commandId('evaluateSweep'), { sweepId: this.sweepId });
      case 'showCompletions':
        return vscode.commands.executeCommand(commandId('showCompletionReport'), { sweepId: this.sweepId });
    }
  }

  private async reopen(sweepId: string): Promise<void> {
    try {
      this.showReport(await readSweepReport(this.services, sweepId));
    } catch (error) {
      this.show({ failure: messageOf(error) });
    }
  }

  private async start(
    planner: SweepPlanner,
    { name, parameters, halving }: Extract<FromSweep, { type: 'start' }>,
  ): Promise<void> {
    try {
      const text = await planner.settings();
      const backend = await this.services.backend.ready();
      const { sweepId } = await backend.request('loraWorkbench/sweeps/start', { text, name, parameters, halving });
      this.showReport(await readSweepReport(this.services, sweepId));
    } catch (error) {
      this.session.post({ type: 'startFailed', message: messageOf(error) });
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
