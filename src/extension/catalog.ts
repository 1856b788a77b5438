import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo } from '../protocol/backend.js';
import type { BackendClient, LiveBackend } from './backendClient.js';

/** The models and adapters of this machine that the backend found. */
export class Catalog implements vscode.Disposable {
  models: readonly ModelInfo[] = [];
  adapters: readonly AdapterInfo[] = [];
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/models/changed', () => void this.refresh());
    backend.onDidStart((live) => this.load(live));
  }

  async refresh(): Promise<void> {
    await this.load(await this.backend.ready());
  }

  /** The model that an adapter was made for: by path, else by the last part of its name. */
  baseOf(adapter: AdapterInfo): ModelInfo | undefined {
    const name = lastPart(adapter.baseModel);
    return (
      this.models.find((model) => model.path === adapter.baseModel) ??
      this.models.find((model) => lastPart(model.path) === name || model.name === name)
    );
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

function lastPart(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}
