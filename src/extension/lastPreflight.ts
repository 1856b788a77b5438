import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { PreflightState } from '../protocol/views/fineTune.js';
import type { BackendClient } from './backendClient.js';

/** The last pre-flight, and whether the settings are still those that it was run with. */
export class LastPreflight {
  private result: PreflightState = { kind: 'none' };
  /** The config that it was run with, as JSON. */
  private ranWith = '';
  private running: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly backend: BackendClient,
    private readonly tell: (state: PreflightState) => void,
  ) {}

  state(text: ConfigText | undefined): PreflightState {
    const { result } = this;
    return result.kind === 'ready' ? { ...result, current: JSON.stringify(text?.config) === this.ranWith } : result;
  }

  async run(text: ConfigText): Promise<void> {
    this.cancel();
    const running = (this.running = new vscode.CancellationTokenSource());
    this.set({ kind: 'running', note: null });
    this.ranWith = JSON.stringify(text.config);
    try {
      const report = await (await this.backend.ready()).request('loraWorkbench/preflight', text, running.token);
      this.set({ kind: 'ready', report, current: true });
    } catch (error) {
      if (running.token.isCancellationRequested) return;
      this.set({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** Says what the running pre-flight is doing. */
  noted(note: string): void {
    if (this.result.kind === 'running') this.set({ kind: 'running', note });
  }

  /** Forgets a failure that happened with other settings, because the new ones may work. */
  settingsChanged(text: ConfigText | undefined): void {
    if (JSON.stringify(text?.config) !== this.ranWith) this.forgetFailure();
  }

  /** The cause of the failure may have been fixed: a file was saved, or a setting changed. */
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
