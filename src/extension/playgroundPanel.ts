import * as vscode from 'vscode';
import type { AdapterInfo, ModelInfo } from '../protocol/backend.js';
import { baseOf } from '../protocol/baseOf.js';
import type { Prefill } from '../protocol/views/playground.js';
import type { BackendClient } from './backendClient.js';
import { OpenPlayground, type PlaygroundServices } from './openPlayground.js';
import { WebviewPanels } from './webviews/webviewPanels.js';

interface PlaygroundStart {
  readonly model?: ModelInfo;
  readonly adapter?: AdapterInfo;
  readonly prompt?: string;
  readonly run?: boolean;
}

/** One prompt, answered by base and adapters side by side. One panel at a time. */
export class PlaygroundPanels extends WebviewPanels<Prefill | null, OpenPlayground> {
  constructor(private readonly services: PlaygroundServices & { readonly backend: BackendClient }) {
    super('playground', vscode.l10n.t('Playground'), services);
  }

  async show(start: PlaygroundStart): Promise<void> {
    await this.services.backend.ready();
    const prefill = this.prefill(start);
    const current = this.current();
    if (!current) return this.create(prefill);
    current.page.prefill(prefill);
    current.panel.reveal();
  }

  /** The page itself remembers what it was filled with. */
  protected restored(): null {
    return null;
  }

  protected page(panel: vscode.WebviewPanel, prefill: Prefill | null): OpenPlayground {
    return new OpenPlayground(panel, this.services, prefill);
  }

  private prefill({ model, adapter, prompt, run }: PlaygroundStart): Prefill {
    const base = adapter ? baseOf(adapter, this.services.catalog.models) : model;
    return { model: base?.path ?? null, adapter: adapter?.path ?? null, prompt: prompt ?? null, run: run ?? false };
  }
}
