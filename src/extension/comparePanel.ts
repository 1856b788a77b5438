import * as vscode from 'vscode';
import type { BackendClient } from './backendClient.js';
import { panelIds } from './contributions.js';
import type { Runs } from './runs.js';
import { RunFeed } from './webviews/runFeed.js';
import { receiveShared } from './webviews/sharedMessages.js';
import { WebviewSession } from './webviews/webviewSession.js';

/** Several runs over each other. */
export class ComparePanels implements vscode.WebviewPanelSerializer {
  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly backend: BackendClient,
    private readonly runs: Runs,
    private readonly onError: (error: unknown) => void,
  ) {}

  open(runIds: readonly string[]): void {
    this.adopt(
      vscode.window.createWebviewPanel(panelIds.compare, vscode.l10n.t('Compare Runs'), vscode.ViewColumn.Active),
      runIds,
    );
  }

  /** The page itself remembers which runs it shows. */
  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.adopt(panel, []);
    void this.backend.wake();
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel, runIds: readonly string[]): void {
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'icons', 'container.svg');
    const feed = new RunFeed(this.backend, this.runs, (message) => session.post(message));
    const session = new WebviewSession(
      panel.webview,
      'compare',
      this.extensionUri,
      {
        state: () => ({ runs: this.runs.snapshot(), runIds }),
        receive: async (message) => void (await receiveShared(message, feed)),
        reset: () => feed.reset(),
      },
      this.onError,
    );
    const subscription = this.runs.onDidReplace(() => session.hydrate());
    panel.onDidDispose(() => vscode.Disposable.from(feed, subscription).dispose());
  }
}
