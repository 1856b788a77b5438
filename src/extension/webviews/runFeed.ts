import type * as vscode from 'vscode';
import type { ToRunViewer } from '../../protocol/views/runViewer.js';
import type { BackendClient } from '../backendClient.js';
import type { Runs } from '../runs.js';

/** Sends a webview the events of all runs, and the metrics and samples of those it follows. */
export class RunFeed implements vscode.Disposable {
  private readonly followed = new Map<string, vscode.Disposable>();
  private readonly subscription: vscode.Disposable;

  constructor(
    private readonly backend: BackendClient,
    private readonly runs: Runs,
    private readonly post: (message: ToRunViewer) => void,
  ) {
    this.subscription = runs.onEvent((event) => post({ type: 'runEvent', event }));
  }

  async follow(runIds: readonly string[]): Promise<void> {
    for (const [runId, following] of this.followed) {
      if (runIds.includes(runId)) continue;
      following.dispose();
      this.followed.delete(runId);
    }
    await Promise.all(runIds.filter((runId) => !this.followed.has(runId)).map((runId) => this.begin(runId)));
  }

  /** Stops following all runs, for a new page that knows nothing yet. */
  reset(): void {
    for (const following of this.followed.values()) following.dispose();
    this.followed.clear();
  }

  dispose(): void {
    this.reset();
    this.subscription.dispose();
  }

  private async begin(runId: string): Promise<void> {
    let metricCount = 0;
    let sampleCount = 0;
    const following = this.runs.follow(runId, {
      onMetrics: ({ replaced, metrics }) => {
        const first = replaced ? 0 : metricCount;
        metricCount = first + metrics.length;
        this.post({ type: 'metrics', runId, first, metrics });
      },
      onSamples: ({ replaced, samples }) => {
        const first = replaced ? 0 : sampleCount;
        sampleCount = first + samples.length;
        this.post({ type: 'samples', runId, first, samples });
      },
    });
    this.followed.set(runId, following);
    const config = await (await this.backend.ready()).request('loraWorkbench/runs/config', { runId });
    this.post({ type: 'runConfig', runId, config });
  }
}
