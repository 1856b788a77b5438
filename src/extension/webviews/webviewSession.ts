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
  /** The complete current state, sent every time the page reports that it is ready. */
  state(): StateOf<V>;
  /** Handles the messages that only this view sends. */
  receive(message: FromView<V>): Promise<void> | void;
  /** Forgets what was sent to an earlier page, because the page is new. */
  reset?(): void;
}

/** The session of one webview: the full state when the page is ready, then increments. The page may vanish and come back. */
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

  /** Returns whether there is a page that receives the message; one that is not ready yet gets the full state instead. */
  post(message: ToWebview<V>): boolean {
    if (this.ready) void this.webview.postMessage(message);
    return this.ready;
  }

  /** Sends the full state, because the page is new or the state was replaced. */
  hydrate(): void {
    if (!this.ready) return;
    this.handlers.reset?.();
    const strings = translated(webviewStrings());
    void this.webview.postMessage({ type: 'hydrate', state: this.handlers.state(), strings, locale: vscode.env.language });
  }

  /** Ends the session; the webview may continue with another one. */
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
