import * as vscode from 'vscode';
import type { AdapterInfo, BackendNotifications, FoundModels, HubModel, ModelInfo } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';
import { onReturn } from './onReturn.js';

export type FetchProgress = BackendNotifications['loraWorkbench/models/fetching'];

/** The models and adapters that the backend found on this machine. */
export class Catalog implements vscode.Disposable {
  private found: FoundModels = { models: [], adapters: [] };
  private readonly changed = new vscode.EventEmitter<void>();
  /** Who wants to know how a download goes, by the name of the model; null is the small one. */
  private readonly onFetching = new Map<string | null, (progress: FetchProgress) => void>();
  private running: Promise<void> | undefined;
  private following: Promise<void> | undefined;
  private hasLooked = false;
  /** Fires after the first search, then only when something has changed, so that listeners can refresh without causing a loop. */
  readonly onDidChange = this.changed.event;
  private readonly returning: vscode.Disposable;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/models/changed', () => void this.refresh().catch(() => undefined));
    backend.handle('loraWorkbench/models/fetching', (piece) => this.onFetching.get(piece.name)?.(piece));
    backend.onDidStart((live) => void this.find(live).catch(() => undefined));
    // The user may have downloaded a model with another program meanwhile.
    this.returning = onReturn(() => void this.lookAgain().catch(() => undefined));
  }

  get models(): readonly ModelInfo[] {
    return this.found.models;
  }

  get adapters(): readonly AdapterInfo[] {
    return this.found.adapters;
  }

  /** Starts the backend, waits for the first search and returns whether it succeeded. Never searches again. */
  async loaded(): Promise<boolean> {
    await this.backend.wake();
    await this.running?.catch(() => undefined);
    return this.hasLooked;
  }

  /** Searches again, even after a search in progress, which may have missed the latest changes. */
  async refresh(): Promise<void> {
    await this.find(await this.backend.ready());
  }

  /** Downloads the starter model. */
  async fetchSmallModel(
    onProgress: (progress: FetchProgress) => void,
    token: vscode.CancellationToken,
  ): Promise<ModelInfo | undefined> {
    return this.fetched(null, onProgress, (live) => live.request('loraWorkbench/models/fetchSmall', null, token));
  }

  /** Downloads a model of the hub. */
  async downloadFromHub(
    model: HubModel,
    onProgress: (progress: FetchProgress) => void,
    token: vscode.CancellationToken,
  ): Promise<ModelInfo | undefined> {
    return this.fetched(model.name, onProgress, (live) => live.request('loraWorkbench/hub/download', model, token));
  }

  private async fetched(
    name: string | null,
    onProgress: (progress: FetchProgress) => void,
    fetch: (live: LiveBackend) => Promise<{ path: string }>,
  ): Promise<ModelInfo | undefined> {
    this.onFetching.set(name, onProgress);
    try {
      const { path } = await fetch(await this.backend.ready());
      await this.refresh();
      return this.models.find((model) => model.path === path);
    } finally {
      this.onFetching.delete(name);
    }
  }

  dispose(): void {
    this.returning.dispose();
    this.changed.dispose();
  }

  /** Does not start a backend that was never needed or kept dying. */
  private async lookAgain(): Promise<void> {
    const live = await this.backend.running;
    if (live) await this.find(live);
  }

  /** Runs one search at a time, and one more for all callers that asked meanwhile. */
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
