import * as vscode from 'vscode';
import type { ConfigEdit } from '../protocol/views/fineTune.js';
import type { Catalog } from './catalog.js';
import type { ComparePanels } from './comparePanel.js';
import { ConfigDocument } from './configDocument.js';
import { setContext } from './contextKeys.js';
import { OpenFineTune } from './openFineTune.js';
import type { RunViewerServices } from './webviews/runViewerSession.js';
import { WebviewPanels } from './webviews/webviewPanels.js';

/** What a panel shows, stored with the workspace so that it survives a reload. */
interface FineTuneMemory {
  readonly document: string;
  readonly runId: string | null;
}

const memoryKey = 'fineTune.shown';

export interface FineTuneServices extends RunViewerServices {
  readonly catalog: Catalog;
  /** Location of the config that was started in the panel. */
  readonly draft: vscode.Uri;
  readonly memory: vscode.Memento;
  readonly globalStorageUri: vscode.Uri;
}

interface Shown {
  readonly document: ConfigDocument;
  readonly runId: string | null;
}

/** The Fine-Tune panel: the form of one run config and the plots of one run. There is one panel at a time. */
export class FineTunePanels extends WebviewPanels<Shown, OpenFineTune> {
  constructor(
    private readonly services: FineTuneServices,
    private readonly compare: ComparePanels,
  ) {
    super('fineTune', vscode.l10n.t('Fine-Tune'), services);
    services.backend.handle('loraWorkbench/preflight/note', ({ text }) => this.current()?.page.preflight.noted(text));
  }

  /** Opens the draft with some settings changed. If it names no model, the first one found is chosen. */
  async openDraft(edits: readonly ConfigEdit[]): Promise<void> {
    const { backend, catalog, draft } = this.services;
    await backend.ready();
    await catalog.refresh();
    const document = await this.document(draft);
    const config = document.text()?.config as { model?: unknown } | undefined;
    const [firstModel] = catalog.models;
    const known = typeof config?.model === 'string' && config.model !== '';
    const model: ConfigEdit[] = known || !firstModel ? [] : [{ path: ['model'], value: firstModel.path }];
    // A text that cannot be parsed is shown along with ways to fix it.
    if (config) await document.apply([...model, ...edits]);
    this.show({ document, runId: null });
  }

  /** Like openDraft; then shows what would be learned from, and measures how long that would take. */
  async openReport(edits: readonly ConfigEdit[]): Promise<void> {
    await this.openDraft(edits);
    this.current()?.page.report();
  }

  async openDocument(uri: vscode.Uri): Promise<void> {
    await this.services.backend.ready();
    this.show({ document: await this.document(uri), runId: null });
  }

  /** Shows the plots of one run, or of several runs on top of each other. */
  async showRuns(runIds: readonly string[]): Promise<void> {
    await this.services.backend.ready();
    const [runId] = runIds;
    if (runIds.length > 1) return this.compare.show(runIds);
    if (runId === undefined) return;
    this.show({ document: this.current()?.page.document ?? (await this.document(this.services.draft)), runId });
  }

  protected async restored(): Promise<Shown> {
    const memory = this.services.memory.get<FineTuneMemory>(memoryKey);
    const uri = memory ? vscode.Uri.parse(memory.document) : this.services.draft;
    return { document: await this.document(uri), runId: memory?.runId ?? null };
  }

  protected page(panel: vscode.WebviewPanel, { document, runId }: Shown): OpenFineTune {
    setContext({ hasShownFineTune: true });
    const remember = (shown: string | null) =>
      void this.services.memory.update(memoryKey, { document: document.uri.toString(), runId: shown });
    return new OpenFineTune(panel, document, runId, this.services, remember);
  }

  /** Returns the document that is already shown if it is the requested one. */
  private async document(uri: vscode.Uri): Promise<ConfigDocument> {
    const shown = this.current()?.page.document;
    if (shown?.uri.toString() === uri.toString()) return shown.settled();
    return uri.toString() === this.services.draft.toString() ? ConfigDocument.openDraft(uri) : ConfigDocument.open(uri);
  }

  private show(shown: Shown): void {
    const current = this.current();
    if (!current) return this.create(shown);
    current.panel.reveal();
    if (current.page.document !== shown.document) this.fill(current.panel, shown);
    else if (shown.runId !== null) current.page.showRun(shown.runId);
  }
}
