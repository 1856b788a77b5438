import * as vscode from 'vscode';
import type { AdapterInfo } from '../protocol/backend.js';
import type { FromWebview, PlaygroundRequest, PlaygroundSide, Prefill } from '../protocol/webview.js';
import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import { panelIds } from './contributions.js';
import type { TextStreams } from './textStreams.js';
import { receiveShared } from './webviews/sharedMessages.js';
import { WebviewSession } from './webviews/webviewSession.js';

export interface PlaygroundStart {
  readonly adapter?: AdapterInfo;
  readonly prompt?: string;
  readonly run?: boolean;
}

/** One prompt, answered by base and adapter side by side. One panel at a time. */
export class PlaygroundPanels implements vscode.WebviewPanelSerializer {
  private open_: OpenPlayground | undefined;

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
    if (this.open_) {
      this.open_.panel.reveal();
      this.open_.prefill(prefill);
      return;
    }
    this.adopt(vscode.window.createWebviewPanel(panelIds.playground, vscode.l10n.t('Playground'), vscode.ViewColumn.Active), prefill);
  }

  deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.adopt(panel, null);
    void this.backend.ready().catch(() => undefined);
    return Promise.resolve();
  }

  private adopt(panel: vscode.WebviewPanel, prefill: Prefill | null): void {
    panel.iconPath = vscode.Uri.joinPath(this.extensionUri, 'media', 'icons', 'container.svg');
    this.open_ = new OpenPlayground(panel, this.extensionUri, this.catalog, this.streams, prefill, this.onError);
    panel.onDidDispose(() => (this.open_ = undefined));
  }

  private prefill({ adapter, prompt, run }: PlaygroundStart): Prefill {
    const model = adapter ? this.catalog.baseOf(adapter) : undefined;
    return { model: model?.path ?? null, adapter: adapter?.path ?? null, prompt: prompt ?? null, run: run ?? false };
  }
}

class OpenPlayground {
  private readonly session: WebviewSession<'playground'>;
  private generating: { readonly requestId: number; readonly cancel: vscode.CancellationTokenSource } | undefined;

  constructor(
    readonly panel: vscode.WebviewPanel,
    extensionUri: vscode.Uri,
    private readonly catalog: Catalog,
    private readonly streams: TextStreams,
    private firstPrefill: Prefill | null,
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

  prefill(prefill: Prefill): void {
    this.session.post({ type: 'prefill', prefill });
  }

  private state() {
    const prefill = this.firstPrefill;
    this.firstPrefill = null;
    return { models: this.catalog.models, adapters: this.catalog.adapters, prefill };
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
    this.generating = { requestId: request.requestId, cancel };
    await this.generateSide(request, 'base', cancel.token);
    if (request.adapter !== null) await this.generateSide(request, 'adapter', cancel.token);
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
        (text) => this.session.post({ type: 'token', ...address, text }),
        token,
      );
      this.session.post({ type: 'generated', ...address, summary });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.session.post({ type: 'generateFailed', ...address, message });
    }
  }

  private async browseAdapter(): Promise<void> {
    const [folder] = (await vscode.window.showOpenDialog({ canSelectFolders: true, canSelectFiles: false })) ?? [];
    if (folder) this.prefill({ model: null, adapter: folder.fsPath, prompt: null, run: false });
  }
}
