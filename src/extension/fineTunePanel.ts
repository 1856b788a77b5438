import * as vscode from 'vscode';
import type { ConfigEdit } from '../protocol/webview.js';
import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import type { ComparePanels } from './comparePanel.js';
import { ConfigDocument } from './configDocument.js';
import { setContext } from './contextKeys.js';
import { panelIds } from './contributions.js';
import { OpenFineTune } from './openFineTune.js';
import type { Runs } from './runs.js';

/** What a panel shows, kept with the workspace so that a reload finds it. */
interface FineTuneMemory {
  readonly document: string;
  readonly runId: string | null;
}

const memoryKey = 'fineTune.shown';

export interface FineTuneServices {
  readonly extensionUri: vscode.Uri;
  readonly backend: BackendClient;
  readonly runs: Runs;
  readonly catalog: Catalog;
  readonly onError: (error: unknown) => void;
  /** Where the config that was begun in the panel lies. */
  readonly draft: vscode.Uri;
  readonly memory: vscode.Memento;
  readonly globalStorageUri: vscode.Uri;
}

/** The Fine-Tune panel: the form of one run config, and the plots of one run. One at a time. */
export class FineTunePanels implements vscode.WebviewPanelSerializer {
  private current: OpenFineTune | undefined;

  constructor(
    private readonly services: FineTuneServices,
    private readonly compare: ComparePanels,
  ) {}

  /** The draft with some settings changed; a model is chosen where there is only the choice to make. */
  async open(edits: readonly ConfigEdit[]): Promise<void> {
    const { backend, catalog, draft } = this.services;
    await backend.ready();
    await catalog.refresh();
    const document = await this.document(draft);
    const config = document.text()?.config as { model?: unknown } | undefined;
    const [firstModel] = catalog.models;
    const known = typeof config?.model === 'string' && config.model !== '';
    const model: ConfigEdit[] = known || !firstModel ? [] : [{ path: ['model'], value: firstModel.path }];
    // A text that cannot be read is shown with the ways on.
    if (config) await document.apply([...model, ...edits]);
    this.show(document, null);
  }

  async openDocument(uri: vscode.Uri): Promise<void> {
    await this.services.backend.ready();
    this.show(await this.document(uri), null);
  }

  /** One run: its plots. Several: over each other. */
  async showRuns(runIds: readonly string[]): Promise<void> {
    await this.services.backend.ready();
    const [runId] = runIds;
    if (runIds.length > 1) this.compare.open(runIds);
    else if (runId !== undefined) this.show(this.current?.document ?? (await this.document(this.services.draft)), runId);
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    const memory = this.services.memory.get<FineTuneMemory>(memoryKey);
    const uri = memory ? vscode.Uri.parse(memory.document) : this.services.draft;
    this.adopt(panel, await this.document(uri), memory?.runId ?? null);
    void this.services.backend.wake();
  }

  /** The one that is shown already, where it is that. */
  private async document(uri: vscode.Uri): Promise<ConfigDocument> {
    const { current } = this;
    if (current?.document.uri.toString() === uri.toString()) return current.document.settled();
    return uri.toString() === this.services.draft.toString() ? ConfigDocument.openDraft(uri) : ConfigDocument.open(uri);
  }

  private show(document: ConfigDocument, runId: string | null): void {
    if (!this.current) {
      const panel = vscode.window.createWebviewPanel(panelIds.fineTune, vscode.l10n.t('Fine-Tune'), vscode.ViewColumn.Active);
      return this.adopt(panel, document, runId);
    }
    const { panel } = this.current;
    panel.reveal();
    if (this.current.document !== document) this.adopt(panel, document, runId);
    else if (runId !== null) this.current.showRun(runId);
  }

  /** Fills a panel, in place of what it showed before. */
  private adopt(panel: vscode.WebviewPanel, document: ConfigDocument, runId: string | null): void {
    setContext({ hasShownFineTune: true });
    panel.iconPath = vscode.Uri.joinPath(this.services.extensionUri, 'media', 'icons', 'container.svg');
    const remember = (shown: string | null) =>
      void this.services.memory.update(memoryKey, { document: document.uri.toString(), runId: shown });
    this.current?.dispose();
    const opened = new OpenFineTune(panel, document, runId, this.services, remember);
    this.current = opened;
    panel.onDidDispose(() => {
      if (this.current !== opened) return;
      opened.dispose();
      this.current = undefined;
    });
  }
}
