import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { PreflightState } from '../protocol/views/fineTune.js';
import type { BackendClient } from './backendClient.js';
import { dataSettings } from './dataLookup.js';

/** The last look at what the model will see, and whether the settings are still those of that look. */
export class LastPreflight {
  private result: PreflightState = { kind: 'none' };
  private lookedAt = '';
  private failedWith = '';
  private running: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly backend: BackendClient,
    private readonly tell: (state: PreflightState) => void,
  ) {}

  state(text: ConfigText | undefined): PreflightState {
    const { result } = this;
    return result.kind === 'ready' ? { ...result, current: dataSettings(text) === this.lookedAt } : result;
  }

  async run(text: ConfigText): Promise<void> {
    this.cancel();
    const running = (this.running = new vscode.CancellationTokenSource());
    this.set({ kind: 'running' });
    this.lookedAt = dataSettings(text);
    try {
      const report = await (await this.backend.ready()).request('loraWorkbench/preflight', text, running.token);
      this.set({ kind: 'ready', report, current: true });
    } catch (error) {
      if (running.token.isCancellationRequested) return;
      this.failedWith = JSON.stringify(text.config);
      this.set({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Other settings may be those that work. */
  settingsChanged(text: ConfigText | undefined): void {
    if (JSON.stringify(text?.config) !== this.failedWith) this.forgetFailure();
  }

  /** What it failed for may be mended: a file was saved, a setting changed. */
  forgetFailure(): void {
    if (this.result.kind === 'failed') this.set({ kind: 'none' });
  }

  cancel(): void {
    if (!this.running) return;
    this.running.cancel();
    this.running = undefined;
    if (this.result.kind === 'running') this.set({ kind: 'none' });
  }

  private set(state: PreflightState): void {
    this.result = state;
    this.tell(state);
  }
}
