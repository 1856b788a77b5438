import * as vscode from 'vscode';
import type { BackendClient } from '../backendClient.js';
import { viewIds } from '../contributions.js';
import type { Runs } from '../runs.js';
import { RunFeed } from '../webviews/runFeed.js';
import { receiveShared } from '../webviews/sharedMessages.js';
import { WebviewSession } from '../webviews/webviewSession.js';

/** The training monitor in the side bar. */
export class MonitorView implements vscode.WebviewViewProvider {
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly backend: BackendClient,
    private readonly runs: Runs,
    private readonly onError: (error: unknown) => void,
  ) {}

  async focus(): Promise<void> {
    await vscode.commands.executeCommand(`${viewIds.monitor}.focus`);
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    const feed = new RunFeed(this.backend, this.runs, (message) => session.post(message));
    const session = new WebviewSession(
      view.webview,
      'monitor',
      this.extensionUri,
      {
        state: () => ({ runs: this.runs.snapshot(), trusted: vscode.workspace.isTrusted }),
        receive: async (message) => void (await receiveShared(message, feed)),
        reset: () => feed.reset(),
      },
      this.onError,
    );
    const subscriptions = [
      feed,
      this.runs.onDidReplace(() => session.hydrate()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => session.hydrate()),
    ];
    view.onDidDispose(() => vscode.Disposable.from(...subscriptions).dispose());
    // The view is in sight: whoever looks wants to see the runs. Why there is no backend, other places say.
    void this.backend.wake();
  }
}
