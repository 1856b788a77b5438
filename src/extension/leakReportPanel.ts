import * as vscode from 'vscode';
import type { RunSummary } from '../protocol/backend.js';
import { usualLeakProbe } from '../protocol/leakProbe.js';
import type { FromLeakReport, LeakReportState, ShownLeakReport } from '../protocol/views/leakReport.js';
import type { BackendClient } from './backendClient.js';
import { openOrigin } from './openOrigin.js';
import type { Runs } from './runs.js';
import { WebviewPanels } from './webviews/webviewPanels.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';
import type { Work } from './work.js';

export interface LeakReportServices extends WebviewServices {
  readonly backend: BackendClient;
  readonly runs: Runs;
  readonly work: Work;
}

type Probed = Pick<RunSummary, 'runId' | 'name'>;

/** Panels that show what a run's adapter gives away of its training text. */
export class LeakReportPanels extends WebviewPanels<ShownLeakReport | null, OpenLeakReport> {
  constructor(private readonly services: LeakReportServices) {
    super('leakReport', vscode.l10n.t('Leak Report'), services);
  }

  /** Nothing is shown if the user cancels. */
  async probe(run: Probed): Promise<void> {
    const shown = await probe(this.services.work, run);
    if (shown) this.create(shown);
  }

  /** The page itself remembers which run it showed. */
  protected restored(): null {
    return null;
  }

  protected page(panel: vscode.WebviewPanel, shown: ShownLeakReport | null): OpenLeakReport {
    return new OpenLeakReport(panel, this.services, shown);
  }
}

class OpenLeakReport implements vscode.Disposable {
  private readonly session: WebviewSession<'leakReport'>;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly services: LeakReportServices,
    private shown: ShownLeakReport | null,
  ) {
    this.session = new WebviewSession(panel.webview, 'leakReport', services, {
      state: (): LeakReportState => ({ shown: this.shown }),
      receive: (message) => this.receive(message),
    });
    this.setTitle();
  }

  dispose(): void {
    this.session.dispose();
  }

  private async receive(message: FromLeakReport): Promise<void> {
    switch (message.type) {
      case 'probeAgain':
        return this.probeAgain(message.run);
      case 'openOrigin':
        return openOrigin(message.origin);
    }
  }

  /** The page names a run; only one that is known is read. */
  private async probeAgain(runId: string): Promise<void> {
    const run = this.services.runs.list().find((known) => known.runId === runId);
    if (!run) throw new Error(vscode.l10n.t('There is no run at {0}: it was moved or deleted.', runId));
    const shown = await probe(this.services.work, run);
    if (!shown) return;
    this.shown = shown;
    this.setTitle();
    this.session.hydrate();
  }

  private setTitle(): void {
    if (this.shown) this.panel.title = vscode.l10n.t('Leaks: {0}', this.shown.name);
  }
}

/** Undefined if the user cancels. */
async function probe(work: Work, { runId, name }: Probed): Promise<ShownLeakReport | undefined> {
  const adapter = vscode.Uri.joinPath(vscode.Uri.file(runId), 'adapter').fsPath;
  const title = vscode.l10n.t('Probing {0} for training text', name);
  const report = await work.run('loraWorkbench/adapters/leakProbe', { run: runId, adapter, ...usualLeakProbe }, title);
  return report && { name, report };
}
