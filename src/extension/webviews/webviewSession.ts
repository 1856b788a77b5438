import * as vscode from 'vscode';
import { isFromWebview, type FromView, type StateOf, type ToWebview, type View } from '../../protocol/views/registry.js';
import { isFromAnyView, typeOfMessage } from '../../protocol/views/view.js';
import { webviewStrings } from '../../protocol/webviewStrings.js';
import { translated } from '../translated.js';
import { receiveShared } from './sharedMessages.js';
import { webviewHtml } from './webviewHtml.js';

export interface WebviewServices {
  readonly extensionUri: vscode.Uri;
  readonly onError: (error: unknown) => void;
  readonly log: vscode.LogOutputChannel;
}

export interface SessionHandlers<V extends View> {
  /** A snapshot of the truth: sent when the page says ready, as often as it does. */
  state(): StateOf<V>;
  /** What the view alone says. */
  receive(message: FromView<V>): Promise<void> | void;
  /** The page is new: what was sent to an earlier one is forgotten. */
  reset?(): void;
}

/** One webview and its conversation: hydrate on ready, then increments. The page may be thrown away and come back. */
export class WebviewSession<V extends View> implements vscode.Disposable {
  private ready = false;
  private readonly messages: vscode.Disposable;

  constructor(
    private readonly webview: vscode.Webview,
    private readonly view: V,
    private readonly services: WebviewServices,
    private readonly handlers: SessionHandlers<V>,
  ) {
    const folder = vscode.Uri.joinPath(services.extensionUri, 'dist', 'webview');
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

  post(message: ToWebview<V>): void {
    if (this.ready) void this.webview.postMessage(message);
  }

  /** Sends everything anew, after the truth itself was replaced. */
  hydrate(): void {
    if (!this.ready) return;
    this.handlers.reset?.();
    const strings = translated(webviewStrings);
    void this.webview.postMessage({ type: 'hydrate', state: this.handlers.state(), strings, locale: vscode.env.language });
  }

  /** Ends the conversation; the webview may go on with another. */
  dispose(): void {
    this.ready = false;
    this.messages.dispose();
  }

  private async receive(message: unknown): Promise<void> {
    if (!isFromWebview(this.view, message)) return this.logDropped(typeOfMessage(message), 'from');
    if (message.type === 'malformed') return this.logDropped(message.messageType, 'to');
    if (message.type === 'ready') {
      this.ready = true;
      return this.hydrate();
    }
    try {
      await (isFromAnyView(message) ? receiveShared(message) : this.handlers.receive(message));
    } catch (error) {
      this.services.onError(error);
    }
  }

  private logDropped(messageType: string, direction: 'from' | 'to'): void {
    this.services.log.warn(`A malformed message ${direction} the view ${this.view} was dropped: ${messageType}`);
  }
}
