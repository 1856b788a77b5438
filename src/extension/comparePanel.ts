import * as vscode from 'vscode';
import { RunViewerSession, type RunViewerServices } from './webviews/runViewerSession.js';
import { WebviewPanels } from './webviews/webviewPanels.js';

/** Panels that plot several runs on top of each other. */
export class ComparePanels extends WebviewPanels<readonly string[], vscode.Disposable> {
  constructor(private readonly services: RunViewerServices) {
    super('compare', vscode.l10n.t('Compare Runs'), services);
  }

  show(runIds: readonly string[]): void {
    this.create(runIds);
  }

  /** The page itself remembers which runs it shows. */
  protected restored(): readonly string[] {
    return [];
  }

  protected page({ webview }: vscode.WebviewPanel, runIds: readonly string[]): vscode.Disposable {
    return new RunViewerSession(webview, 'compare', this.services, {
      state: () => ({ runs: this.services.runs.snapshot(), runIds }),
    });
  }
}
