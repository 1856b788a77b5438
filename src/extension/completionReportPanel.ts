import * as vscode from 'vscode';
import type { CompletionReport } from '../protocol/completionReport.js';
import type { CompletionReportState, FromCompletionReport } from '../protocol/views/completionReport.js';
import type { BackendClient } from './backendClient.js';
import { WebviewPanels } from './webviews/webviewPanels.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';

export interface CompletionReportServices extends WebviewServices {
  readonly backend: BackendClient;
}

/** Panels that show what an evaluation of inline completion found. */
export class CompletionReportPanels extends WebviewPanels<CompletionReportState, OpenCompletionReport> {
  constructor(private readonly services: CompletionReportServices) {
    super('completionReport', vscode.l10n.t('Completion Report'), services);
  }

  /** Shows the last report of a run; throws if there is none. */
  async show(runId: string, name: string): Promise<void> {
    const report = await readReport(this.services.backend, runId);
    if (!report) throw new Error(vscode.l10n.t('{0} has not been evaluated yet: run Evaluate Inline Completion first.', name));
    this.create({ runId, report });
  }

  /** The page itself remembers which run it shows. */
  protected restored(): CompletionReportState {
    return { runId: null, report: null };
  }

  protected page({ webview }: vscode.WebviewPanel, state: CompletionReportState): OpenCompletionReport {
    return new OpenCompletionReport(webview, this.services, state);
  }
}

/** An open report. It is read from disk whenever the page is new. */
class OpenCompletionReport implements vscode.Disposable {
  private readonly session: WebviewSession<'completionReport'>;

  constructor(
    webview: vscode.Webview,
    private readonly services: CompletionReportServices,
    private state: CompletionReportState,
  ) {
    this.session = new WebviewSession(webview, 'completionReport', services, {
      state: () => this.state,
      receive: (message) => this.receive(message),
    });
  }

  dispose(): void {
    this.session.dispose();
  }

  private async receive(message: FromCompletionReport): Promise<void> {
    switch (message.type) {
      case 'openReport':
        return this.open(message.runId);
      case 'openPlace':
        return openPlace(message);
    }
  }

  private async open(runId: string): Promise<void> {
    this.state = { runId, report: await readReport(this.services.backend, runId) };
    this.session.hydrate();
  }
}

async function readReport(backend: BackendClient, runId: string): Promise<CompletionReport | null> {
  return (await backend.ready()).request('loraWorkbench/completion/report', { runId });
}

/** Beside the report, so that both can be read. */
async function openPlace({ path, line, column }: Extract<FromCompletionReport, { type: 'openPlace' }>): Promise<void> {
  const place = new vscode.Position(line - 1, column - 1);
  const selection = new vscode.Selection(place, place);
  await vscode.window.showTextDocument(vscode.Uri.file(path), { viewColumn: vscode.ViewColumn.Beside, selection });
}
