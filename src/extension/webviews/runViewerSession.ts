import * as vscode from 'vscode';
import type { FromView, StateOf, ToWebview } from '../../protocol/views/registry.js';
import type { FromRunViewer, ToRunViewer } from '../../protocol/views/runViewer.js';
import type { BackendClient } from '../backendClient.js';
import type { Runs } from '../runs.js';
import { RunFeed } from './runFeed.js';
import { WebviewSession, type WebviewServices } from './webviewSession.js';

export interface RunViewerServices extends WebviewServices {
  readonly backend: BackendClient;
  readonly runs: Runs;
}

type RunViewer = 'fineTune' | 'monitor' | 'compare' | 'sweep';
type Own<V extends RunViewer> = Exclude<FromView<V>, FromRunViewer>;

interface RunViewerHandlers<V extends RunViewer> {
  state(): StateOf<V>;
  receive?(message: Own<V>): Promise<void> | void;
}

/** The session of a webview that shows runs: it gets the events of all runs, and the metrics and samples of those it follows. */
export class RunViewerSession<V extends RunViewer> implements vscode.Disposable {
  private readonly session: WebviewSession<V>;
  private readonly feed: RunFeed;
  private readonly replaced: vscode.Disposable;

  constructor(webview: vscode.Webview, view: V, services: RunViewerServices, handlers: RunViewerHandlers<V>) {
    this.feed = new RunFeed(services.backend, services.runs, (message) => this.post(message));
    this.session = new WebviewSession<V>(webview, view, services, {
      state: () => handlers.state(),
      receive: (message) => {
        if (message.type === 'follow') return this.feed.follow(message.runIds);
        return handlers.receive?.(message as Own<V>);
      },
      reset: () => this.feed.reset(),
    });
    this.replaced = services.runs.onDidReplace(() => this.session.hydrate());
  }

  /** Returns whether there is a page that receives the message. */
  post(message: ToWebview<V> | ToRunViewer): boolean {
    return this.session.post(message);
  }

  hydrate(): void {
    this.session.hydrate();
  }

  dispose(): void {
    vscode.Disposable.from(this.feed, this.replaced, this.session).dispose();
  }
}
