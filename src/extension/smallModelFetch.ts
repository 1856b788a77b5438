import * as vscode from 'vscode';
import type { FetchState } from '../protocol/views/fineTune.js';
import type { Catalog } from './catalog.js';

/** Downloads the small model into the catalogue and tells a panel about the progress. */
export class SmallModelFetch {
  state: FetchState = { kind: 'none' };
  private running: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly catalog: Catalog,
    private readonly tell: (state: FetchState) => void,
  ) {}

  async start(): Promise<void> {
    if (this.running) return;
    const { token } = (this.running = new vscode.CancellationTokenSource());
    this.set({ kind: 'fetching', done: 0, total: 0 });
    try {
      const model = await this.catalog.fetchSmallModel(({ done, total }) => this.set({ kind: 'fetching', done, total }), token);
      this.set({ kind: 'none' });
      if (model) void vscode.window.showInformationMessage(vscode.l10n.t('{0} is ready to be fine-tuned.', model.name));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      this.set(token.isCancellationRequested ? { kind: 'none' } : { kind: 'failed', message });
    } finally {
      this.running = undefined;
    }
  }

  cancel(): void {
    this.running?.cancel();
  }

  private set(state: FetchState): void {
    this.state = state;
    this.tell(state);
  }
}
