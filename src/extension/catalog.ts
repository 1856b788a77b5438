import * as vscode from 'vscode';
import type { AdapterInfo, BackendNotifications, FoundModels, ModelInfo } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';

export type FetchProgress = BackendNotifications['loraWorkbench/models/fetching'];

/** The models and adapters of this machine that the backend found. */
export class Catalog implements vscode.Disposable {
  private found: FoundModels = { models: [], adapters: [] };
  private readonly changed = new vscode.EventEmitter<void>();
  private onFetching: (progress: FetchProgress) => void = () => undefined;
  private running: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  private hasLooked = false;
  /** After the first look, then only when something is another than before: whoever hears it may ask again without an end. */
  readonly onDidChange = this.changed.event;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/models/changed', () => void this.refresh().catch(() => undefined));
    backend.handle('loraWorkbench/models/fetching', (piece) => this.onFetching(piece));
    backend.onDidStart((live) => void this.find(live).catch(() => undefined));
  }

  get models(): readonly ModelInfo[] {
    return this.found.models;
  }

  get adapters(): readonly AdapterInfo[] {
    return this.found.adapters;
  }

  /** When the first look is taken, for which the backend is started: whether it was. Never takes another one. */
  async loaded(): Promise<boolean> {
    await this.backend.wake();
    await this.running?.catch(() => undefined);
    return this.hasLooked;
  }

  /** What is there now: a look that began before may have missed it. */
  async refresh(): Promise<void> {
    await this.find(await this.backend.ready());
  }

  /** Gets the model to begin with. */
  async fetchSmallModel(
    onProgress: (progress: FetchProgress) => void,
    token: vscode.CancellationToken,
  ): Promise<ModelInfo | undefined> {
    this.onFetching = onProgress;
    const { path } = await (await this.backend.ready()).request('loraWorkbench/models/fetchSmall', null, token);
    await this.refresh();
    return this.models.find((model) => model.path === path);
  }

  dispose(): void {
    this.changed.dispose();
  }

  /** One look at a time, and one more for all who asked meanwhile. */
  private find(live: LiveBackend): Promise<void> {
    if (this.running) {
      this.following ??= this.running
        .catch(() => undefined)
        .then(() => {
          this.following = undefined;
          return this.find(live);
        });
      return this.following;
    }
    this.running = this.load(live).finally(() => (this.running = undefined));
    return this.running;
  }

  private async load(live: LiveBackend): Promise<void> {
    const found = await live.request('loraWorkbench/models/list', null);
    if (this.hasLooked && JSON.stringify(found) === JSON.stringify(this.found)) return;
    this.found = found;
    this.hasLooked = true;
    this.changed.fire();
  }
}
