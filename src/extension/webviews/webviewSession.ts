import * as vscode from 'vscode';
import { isFromWebview } from '../../protocol/webviewMessages.js';
import type { FromWebview, ToWebview, WebviewStates, WebviewView } from '../../protocol/webview.js';
import { webviewStrings } from '../../protocol/webviewStrings.js';
import { translated } from '../translated.js';
import { webviewHtml } from './webviewHtml.js';

type Handled = Exclude<FromWebview, { type: 'ready' }>;

interface SessionHandlers<View extends WebviewView> {
  /** A snapshot of the truth: sent when the page says ready, as often as it does. */
  state(): WebviewStates[View];
  receive(message: Handled): Promise<void> | void;
  /** The page is new: what was sent to an earlier one is forgotten. */
  reset?(): void;
}

/** One webview and its conversation: hydrate on ready, then increments. The page may be thrown away and come back. */
export class WebviewSession<View extends WebviewView> implements vscode.Disposable {
  private ready = false;
  private readonly messages: vscode.Disposable;

  constructor(
    private readonly webview: vscode.Webview,
    private readonly view: View,
    extensionUri: vscode.Uri,
    private readonly handlers: SessionHandlers<View>,
    private readonly onError: (error: unknown) => void,
  ) {
    const folder = vscode.Uri.joinPath(extensionUri, 'dist', 'webview');
    const uri = (name: string) => webview.asWebviewUri(vscode.Uri.joinPath(folder, name)).toString();
    webview.options = { enableScripts: true, localResourceRoots: [folder] };
    this.messages = webview.onDidReceiveMessage((message: unknown) => void this.receive(message));
    webview.html = webviewHtml(view, {
      script: uri(`${view}.js`),
      style: uri('webview.css'),
      cspSource: webview.cspSource,
      language: vscode.env.language,
    });
  }

  post(message: ToWebview): void {
    if (this.ready) void this.webview.postMessage(message);
  }

  /** Sends everything anew, after the truth itself was replaced. */
  hydrate(): void {
    this.handlers.reset?.();
    const hydrate = {
      type: 'hydrate',
      view: this.view,
      state: this.handlers.state(),
      strings: translated(webviewStrings),
      locale: vscode.env.language,
    };
    this.post(hydrate as ToWebview);
  }

  /** Ends the conversation; the webview may go on with another. */
  dispose(): void {
    this.ready = false;
    this.messages.dispose();
  }

  private async receive(message: unknown): Promise<void> {
    if (!isFromWebview(message)) return;
    if (message.type === 'ready') {
      this.ready = true;
      return this.hydrate();
    }
    try {
      await this.handlers.receive(message);
    } catch (error) {
      this.onError(error);
    }
  }
}
