import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { ExampleQuery } from '../protocol/preflight.js';
import type { DataState, ToFineTune } from '../protocol/views/fineTune.js';
import type { BackendClient } from './backendClient.js';

/** The resulting data of a config, examined again whenever model or data settings change. */
export class DataLookup {
  private result: DataState = { kind: 'none' };
  private lookedAt = '';
  private running: vscode.CancellationTokenSource | undefined;
  private reading: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly backend: BackendClient,
    private readonly tell: (state: DataState) => void,
  ) {}

  get state(): DataState {
    return this.result;
  }

  /** Forces a new look, because the files may have changed even if the settings did not. */
  forget(): void {
    this.lookedAt = '';
  }

  /** Why this data cannot be read; undefined if it can, or has not been examined. */
  failureOf(text: ConfigText): string | undefined {
    return this.result.kind === 'failed' && this.lookedAt === dataSettings(text) ? this.result.message : undefined;
  }

  async lookAt(text: ConfigText): Promise<void> {
    const wanted = dataSettings(text);
    if (wanted === this.lookedAt) return;
    this.cancel();
    this.lookedAt = wanted;
    const running = (this.running = new vscode.CancellationTokenSource());
    this.set({ kind: 'reading', share: 0 });
    const state = await this.ask(text, running.token);
    if (!running.token.isCancellationRequested) this.set(state);
  }

  /** Reads a page of the examples; a later call cancels it. */
  async examples(text: ConfigText, query: ExampleQuery): Promise<ToFineTune | undefined> {
    this.reading?.cancel();
    const { token } = (this.reading = new vscode.CancellationTokenSource());
    try {
      const page = await (await this.backend.ready()).request('loraWorkbench/data/examples', { text, query }, token);
      return token.isCancellationRequested ? undefined : { type: 'examples', page };
    } catch (error) {
      if (token.isCancellationRequested) return undefined;
      return { type: 'examplesFailed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  /** How much has been read. */
  progressed(share: number): void {
    if (this.result.kind === 'reading') this.set({ kind: 'reading', share });
  }

  /** Stops reading; the same settings are not examined again until `forget`. */
  giveUp(): void {
    if (this.result.kind !== 'reading') return;
    this.cancel();
    this.set({ kind: 'cancelled' });
  }

  /** Clears the result, because the config names no data that could be examined. */
  clear(): void {
    this.cancel();
    this.lookedAt = '';
    if (this.result.kind !== 'none') this.set({ kind: 'none' });
  }

  cancel(): void {
    this.running?.cancel();
    this.reading?.cancel();
    this.running = undefined;
  }

  private async ask(text: ConfigText, token: vscode.CancellationToken): Promise<DataState> {
    try {
      return { kind: 'ready', overview: await (await this.backend.ready()).request('loraWorkbench/data/overview', text, token) };
    } catch (error) {
      return { kind: 'failed', message: error instanceof Error ? error.message : String(error) };
    }
  }

  private set(state: DataState): void {
    this.result = state;
    this.tell(state);
  }
}

/** Configs with equal settings yield the same sequences. */
export function dataSettings(text: ConfigText | undefined): string {
  const { model, data } = (text?.config ?? {}) as { model?: unknown; data?: unknown };
  return JSON.stringify([model, data]);
}
