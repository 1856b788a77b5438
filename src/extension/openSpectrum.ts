import * as vscode from 'vscode';
import type { AdapterInfo } from '../protocol/backend.js';
import type { FromSpectrum, ShownSpectrum } from '../protocol/views/spectrum.js';
import type { MatrixName } from '../protocol/spectrum.js';
import type { BackendClient } from './backendClient.js';
import type { Catalog } from './catalog.js';
import { pickAdapter } from './commands/pick.js';
import { WebviewSession, type WebviewServices } from './webviews/webviewSession.js';
import type { Work } from './work.js';

export interface SpectrumServices extends WebviewServices {
  readonly backend: BackendClient;
  readonly catalog: Catalog;
  readonly work: Work;
}

/** Returns undefined if the user cancels. */
type ReadSpectrum = (adapter: AdapterInfo, other: AdapterInfo | null) => Promise<ShownSpectrum | undefined>;

/** One panel: an adapter, perhaps next to another, and what was measured on demand. */
export class OpenSpectrum implements vscode.Disposable {
  private readonly session: WebviewSession<'spectrum'>;

  constructor(
    private readonly panel: vscode.WebviewPanel,
    private readonly services: SpectrumServices,
    private shown: ShownSpectrum | null,
    private readonly read: ReadSpectrum,
  ) {
    this.session = new WebviewSession(panel.webview, 'spectrum', services, {
      state: () => ({ shown: this.shown }),
      receive: (message) => this.receive(message),
    });
    this.setTitle();
  }

  dispose(): void {
    this.session.dispose();
  }

  private async receive(message: FromSpectrum): Promise<void> {
    this.session.post({ type: 'busy', busy: true });
    try {
      await this.answer(message);
    } finally {
      this.session.post({ type: 'busy', busy: false });
    }
  }

  private async answer(message: FromSpectrum): Promise<void> {
    switch (message.type) {
      case 'reopen':
        return this.reopen(message);
      case 'compareWith':
        return this.compare();
      case 'showSimilarity':
        return this.showSimilarity(message.matrix);
      case 'findIntruders':
        return this.findIntruders(message.matrix);
      case 'measureRanks':
        return this.measureRanks();
    }
  }

  /** The page names what it showed; only adapters that are known are read. */
  private async reopen({ adapter, other }: Extract<FromSpectrum, { type: 'reopen' }>): Promise<void> {
    const own = await this.known(adapter);
    if (!own) throw new Error(vscode.l10n.t('There is no adapter at {0}: it was moved or deleted.', adapter));
    await this.replace(own, other === null ? null : ((await this.known(other)) ?? null));
  }

  private async compare(): Promise<void> {
    const own = await this.known(this.spectrum().adapter);
    if (!own) return;
    const others = this.services.catalog.adapters.filter(({ path }) => path !== own.path);
    if (others.length === 0) throw new Error(vscode.l10n.t('There is no other adapter to compare {0} with.', own.name));
    const placeHolder = vscode.l10n.t('Compare {0} with which adapter?', own.name);
    const other = await pickAdapter(this.services.catalog, placeHolder, others);
    if (other) await this.replace(own, other);
  }

  private async replace(adapter: AdapterInfo, other: AdapterInfo | null): Promise<void> {
    const shown = await this.read(adapter, other);
    if (!shown) return;
    const isSame = this.shown?.spectrum.adapter === adapter.path;
    this.shown = isSame ? { ...shown, losses: this.shown!.losses, intruders: this.shown!.intruders } : shown;
    this.setTitle();
    this.session.hydrate();
  }

  private async showSimilarity(matrix: MatrixName): Promise<void> {
    const { adapter, other } = this.spectrum();
    if (other === null) return;
    const title = vscode.l10n.t('Comparing the directions of two adapters');
    const grids = await this.services.work.run('loraWorkbench/adapters/similarity', { adapter, other, ...matrix }, title);
    if (grids) this.session.post({ type: 'similarity', matrix, grids });
  }

  private async findIntruders(matrix: MatrixName): Promise<void> {
    const { adapter } = this.spectrum();
    const title = vscode.l10n.t('Looking for intruder dimensions in {0} of layer {1}', matrix.linear, matrix.layer);
    const report = await this.services.work.run(
      'loraWorkbench/adapters/intruders',
      { adapter, model: this.base(), ...matrix },
      title,
    );
    if (!report) return;
    const others = this.shown!.intruders.filter(({ layer, linear }) => layer !== matrix.layer || linear !== matrix.linear);
    this.shown = { ...this.shown!, intruders: [...others, report] };
    this.session.post({ type: 'intruders', report });
  }

  private async measureRanks(): Promise<void> {
    const { adapter } = this.spectrum();
    const data = await this.dataFor(adapter);
    if (data === undefined) return;
    const title = vscode.l10n.t('Measuring the held-out loss of lower ranks');
    const report = await this.services.work.run(
      'loraWorkbench/adapters/rankLosses',
      { adapter, model: this.base(), data: data.path },
      title,
    );
    if (!report) return;
    this.shown = { ...this.shown!, losses: report };
    this.session.post({ type: 'losses', report });
  }

  /** A null path is what the adapter's run held out; undefined if the user closes the question. */
  private async dataFor(adapter: string): Promise<{ readonly path: string | null } | undefined> {
    const run = (await this.known(adapter))?.run;
    if (run && run.heldOutLoss !== null) return { path: null };
    const title = vscode.l10n.t('Data to measure the loss on, which the adapter was not trained on');
    const [chosen] = (await vscode.window.showOpenDialog({ title })) ?? [];
    return chosen && { path: chosen.fsPath };
  }

  private spectrum(): ShownSpectrum['spectrum'] {
    if (!this.shown) throw new Error(vscode.l10n.t('There is no adapter to examine. Run Show Adapter Spectrum again.'));
    return this.shown.spectrum;
  }

  private base(): string {
    const { model } = this.spectrum();
    if (model !== null) return model;
    throw new Error(
      vscode.l10n.t('The base model of {0} was not found. Import it, and open the spectrum again.', this.shown!.name),
    );
  }

  private async known(path: string): Promise<AdapterInfo | undefined> {
    const { backend, catalog } = this.services;
    await backend.ready();
    await catalog.refresh();
    return catalog.adapters.find((adapter) => adapter.path === path);
  }

  private setTitle(): void {
    if (this.shown) this.panel.title = vscode.l10n.t('Spectrum: {0}', this.shown.name);
  }
}
