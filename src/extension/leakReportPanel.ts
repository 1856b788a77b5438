import * as vscode from 'vscode';
import type { RunSummary } from '../protocol/backend.js';
import { usualLeakProbe } from '../protocol/leakProbe.js';
import type { LeakReportState } from '../protocol/views/leakReport.js';
import type { BackendClient } from './backendClient.js';
import { openOrigin } from './openOrigin.js';
import { WebviewPanels } from './webviews/webviewPanels.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';
import type { Work } from './work.js';

export interface LeakReportServices extends WebviewServices {
  readonly backend: BackendClient;
  readonly work: Work;
}

/** Panels that show what a run's adapter gives away of its training text. */
export class LeakReportPanels extends WebviewPanels<LeakReportState, WebviewSession<'leakReport'>> {
  constructor(private readonly services: LeakReportServices) {
    super('leakReport', vscode.l10n.t('Leak Report'), services);
  }

  /** Nothing is shown if the user cancels. */
  async probe({ runId, name }: Pick<RunSummary, 'runId' | 'name'>): Promise<void> {
    const adapter = vscode.Uri.joinPath(vscode.Uri.file(runId), 'adapter').fsPath;
    const title = vscode.l10n.t('Probing {0} for training text', name);
    const request = { run: runId, adapter, ...usualLeakProbe };
    const report = await this.services.work.run('loraWorkbench/adapters/leakProbe', request, title);
    if (report) this.create({ shown: { name, report } });
  }

  /** The page itself remembers what it showed. */
  protected restored(): LeakReportState {
    return { shown: null };
  }

  protected page(panel: vscode.WebviewPanel, state: LeakReportState): WebviewSession<'leakReport'> {
    if (state.shown) panel.title = vscode.l10n.t('Leaks: {0}', state.shown.name);
    return new WebviewSession(panel.webview, 'leakReport', this.services, {
      state: () => state,
      receive: ({ origin }) => openOrigin(origin),
    });
  }
}
