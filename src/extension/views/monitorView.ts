import * as vscode from 'vscode';
import { viewIds } from '../contributions.js';
import { RunViewerSession, type RunViewerServices } from '../webviews/runViewerSession.js';

/** The training monitor in the side bar. */
export class MonitorView implements vscode.WebviewViewProvider {
  constructor(private readonly services: RunViewerServices) {}

  register(): vscode.Disposable {
    return vscode.window.registerWebviewViewProvider(viewIds.monitor, this);
  }

  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${viewIds.monitor}.focus`);
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const { runs, backend } = this.services;
    const session = new RunViewerSession(view.webview, 'monitor', this.services, {
      state: () => ({ runs: runs.snapshot(), trusted: vscode.workspace.isTrusted }),
    });
    const trust = vscode.workspace.onDidGrantWorkspaceTrust(() => session.hydrate());
    view.onDidDispose(() => vscode.Disposable.from(session, trust).dispose());
    // The view is visible, so the user wants to see the runs. Other places report why the backend is unavailable.
    void backend.wake();
  }
}
