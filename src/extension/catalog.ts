import * as vscode from 'vscode';
import type { AdapterInfo, BackendNotifications, ModelInfo } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';

export type FetchProgress = BackendNotifications['loraWorkbench/models/fetching'];

/** The models and adapters of this machine that the backend found. */
export class Catalog implements vscode.Disposable {
  models: readonly ModelInfo[] = [];
  adapters: readonly AdapterInfo[] = [];
  private readonly changed = new vscode.EventEmitter<void>();
  private onFetching: (progress: FetchProgress) => void = () => undefined;
  private loading: Promise<void> | undefined;
  readonly onDidChange = this.changed.event;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/models/changed', () => void this.refresh());
    backend.handle('loraWorkbench/models/fetching', (piece) => this.onFetching(piece));
    backend.onDidStart((live) => (this.loading = this.load(live)));
  }

  /** When the first look is taken; starts the backend for it. */
  async looked(): Promise<void> {
    await this.backend.wake();
    await this.loading?.catch(() => undefined);
  }

  async refresh(): Promise<void> {
    await this.load(await this.backend.ready());
  }

  /** Gets the model to begin with. */
  async fetchSmallModel(onProgress: (progress: FetchProgress) => void, token: vscode.CancellationToken): Promise<void> {
    this.onFetching = onProgress;
    await (await this.backend.ready()).request('loraWorkbench/models/fetchSmall', null, token);
    await this.refresh();
  }

  dispose(): void {
    this.changed.dispose();
  }

  private async load(live: LiveBackend): Promise<void> {
    [this.models, this.adapters] = await Promise.all([
      live.request('loraWorkbench/models/list', null),
      live.request('loraWorkbench/adapters/list', null),
    ]);
    this.changed.fire();
  }
}
