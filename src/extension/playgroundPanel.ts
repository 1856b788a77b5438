import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo } from '../protocol/backend.js';
import { baseOf } from '../protocol/baseOf.js';
import type { FromWebview, PlaygroundAnswer, PlaygroundRequest, PlaygroundSide, PlaygroundState, Prefill } from '../protocol/webview.js';
import type { BackendClient } from './backendClient.js';
import { chooseUri } from './browse.js';
import type { Catalog } from './catalog.js';
import { panelIds } from './contributions.js';
import type { TextStreams } from './textStreams.js';
import { receiveShared } from './webviews/sharedMessages.js';
import { WebviewSession } from './webviews/webviewSession.js';

interface PlaygroundStart {
  /** The base alone. */
  readonly model?: ModelInfo;
  readonly adapter?: AdapterInfo;
  readonly prompt?: string;
  readonly run?: boolean;
}

/** One prompt, answered by base and adapter side by side. One panel at a time. */
export class PlaygroundPanels implements vscode.WebviewPanelSerializer {
  private current: OpenPlayground | undefined;

  constructor(
    private readonly extensionUri: vscode.Uri,
    private readonly backend: BackendClient,
    private readonly catalog: Catalog,
    private readonly streams: TextStreams,
    private readonly onError: (error: unknown) => void,
  ) {}

  async open(start: PlaygroundStart): Promise<void> {
    await this.backend.ready();
    const prefill = this.prefill(start);
    if (this.current) {
      this.current.prefill(prefill);
      this.current.panel.reveal();
      return;
    }
    this.adopt(vscode.window.createWebviewPanel(panelIds.playground, vscode.l10n.t('Playground'), vscode.ViewColumn.Active), prefill);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.adopt(panel, null);
    void this.backend.wake();
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel, prefill: Prefill | null): void {
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'icons', 'container.svg');
    this.current = new OpenPlayground(panel, this.extensionUri, this.catalog, this.streams, prefill, this.onError);
    panel.onDidDispose(() => (this.current = undefined));
  }

  private prefill({ model, adapter, prompt, run }: PlaygroundStart): Prefill {
    const base = adapter ? baseOf(adapter, this.catalog.models) : model;
    const alone = model ? '' : null;
    return { model: base?.path ?? null, adapter: adapter?.path ?? alone, prompt: prompt ?? null, run: run ?? false };
  }
}

class OpenPlayground {
  private readonly session: WebviewSession<'playground'>;
  private generating: { readonly requestId: number; readonly cancel: vscode.CancellationTokenSource } | undefined;
  /** To the last request: a page that is hidden gets no messages, and none of what it showed survives. */
  private readonly answers = new Map<PlaygroundSide, PlaygroundAnswer>();

  constructor(
    readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    private readonly catalog: Catalog,
    private readonly streams: TextStreams,
    private awaitingPage: Prefill | null,
    onError: (error: unknown) => void,
  ) {
    this.session = new WebviewSession(
      panel.webview,
      'playground',
      extensionUri,
      { state: () => this.state(), receive: (message) => this.receive(message) },
      onError,
    );
    const subscription = catalog.onDidChange(() => this.sendChoices());
    panel.onDidDispose(() => {
      subscription.dispose();
      this.generating?.cancel.cancel();
    });
  }

  /** A page that is out of sight is gone: the next one gets it with its first state. */
  prefill(prefill: Prefill): void {
    if (this.panel.visible) this.session.post({ type: 'prefill', prefill });
    else this.awaitingPage = prefill;
  }

  private state(): PlaygroundState {
    const prefill = this.awaitingPage;
    this.awaitingPage = null;
    const { models, adapters } = this.catalog;
    return { models, adapters, prefill, answers: [...this.answers.values()] };
  }

  private sendChoices(): void {
    this.session.post({ type: 'choices', models: this.catalog.models, adapters: this.catalog.adapters });
  }

  private async receive(message: FromWebview): Promise<void> {
    if (await receiveShared(message)) return;
    switch (message.type) {
      case 'generate':
        return this.generate(message.request);
      case 'stopGenerating':
        if (this.generating?.requestId === message.requestId) this.generating.cancel.cancel();
        return;
      case 'browseAdapter':
        return this.browseAdapter();
    }
  }

  /** The base first, then the adapter: the engine computes one at a time. */
  private async generate(request: PlaygroundRequest): Promise<void> {
    this.generating?.cancel.cancel();
    const cancel = new vscode.CancellationTokenSource();
    const { requestId } = request;
    this.generating = { requestId, cancel };
    const sides: readonly PlaygroundSide[] = request.adapter === null ? ['base'] : ['base', 'adapter'];
    this.answers.clear();
    for (const side of sides) this.answers.set(side, { requestId, side, text: '', end: null });
    for (const side of sides) await this.generateSide(request, side, cancel.token);
  }

  private async generateSide(request: PlaygroundRequest, side: PlaygroundSide, token: vscode.CancellationToken): Promise<void> {
    const { requestId, model, adapter, adapterStrength, prompt, chat, sampling, maxNewTokens } = request;
    const address = { requestId, side };
    try {
      const summary = await this.streams.generate(
        {
          model,
          adapter: side === 'adapter' ? adapter : null,
          adapterStrength,
          // Both sides read the same words, dressed as the adapter learned to read them.
          prompt: chat ? { kind: 'dressed', text: prompt, adapter } : { kind: 'plain', text: prompt },
          sampling,
          maxNewTokens,
        },
        (text) => {
          this.note(address, (answer) => ({ ...answer, text: answer.text + text }));
          this.session.post({ type: 'token', ...address, text });
        },
        token,
      );
      this.note(address, (answer) => ({ ...answer, end: { kind: 'generated', summary } }));
      this.session.post({ type: 'generated', ...address, summary });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.note(address, (answer) => ({ ...answer, end: { kind: 'failed', message } }));
      this.session.post({ type: 'generateFailed', ...address, message });
    }
  }

  /** Keeps what came, unless something else was asked meanwhile. */
  private note({ requestId, side }: Pick<PlaygroundAnswer, 'requestId' | 'side'>, change: (answer: PlaygroundAnswer) => PlaygroundAnswer): void {
    const answer = this.answers.get(side);
    if (answer?.requestId === requestId) this.answers.set(side, change(answer));
  }

  private async browseAdapter(): Promise<void> {
    const folder = await chooseUri('folder');
    if (folder) this.prefill({ model: null, adapter: folder.fsPath, prompt: null, run: false });
  }
}
