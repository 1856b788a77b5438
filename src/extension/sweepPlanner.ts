import { dirname } from 'node:path';
import * as vscode from 'vscode';
import type { ConfigText } from '../protocol/backend.js';
import type { SweepPlan } from '../protocol/views/sweep.js';
import type { ConfigDocument } from './configDocument.js';
import { DataLookup } from './dataLookup.js';
import type { RunViewerServices } from './webviews/runViewerSession.js';

/** How long the shared settings rest before they are checked again. */
const restMs = 300;

/** What is known of the settings that the runs of a new sweep share; they may change while the sweep is planned. */
export class SweepPlanner implements vscode.Disposable {
  plan: SweepPlan;
  private readonly data: DataLookup;
  private readonly changes: vscode.Disposable;
  private timer: NodeJS.Timeout | undefined;
  private isDisposed = false;

  constructor(
    private readonly document: ConfigDocument,
    private readonly services: RunViewerServices,
    private readonly tell: (plan: SweepPlan) => void,
  ) {
    this.data = new DataLookup(services.backend, ({ kind }) => {
      // What a run takes depends on the data.
      if (kind === 'ready') this.check();
    });
    this.plan = this.planWith({ check: null, modelShape: null });
    this.changes = document.onDidChange(() => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.check(), restMs);
    });
    this.check();
  }

  get uri(): vscode.Uri {
    return this.document.uri;
  }

  dispose(): void {
    this.isDisposed = true;
    clearTimeout(this.timer);
    this.data.cancel();
    vscode.Disposable.from(this.changes, this.document).dispose();
  }

  /** The shared settings; throws an error that says why they cannot be used. */
  async settings(): Promise<ConfigText> {
    const text = (await this.document.settled()).readable();
    const failure = this.data.failureOf(text);
    if (failure !== undefined) throw new Error(failure);
    return text;
  }

  private check(): void {
    void this.look().catch(this.services.onError);
  }

  /** Checks the settings, and reads the data that they name, on which the number of steps depends. */
  private async look(): Promise<void> {
    const shown = this.document.shown();
    const text = this.document.text();
    if (!text) {
      const problems = shown.kind === 'parsed' ? [] : [{ path: [], message: shown.message }];
      return this.show({ check: { ok: false, problems }, modelShape: null });
    }
    const backend = await this.services.backend.ready();
    const checked = await backend.request('loraWorkbench/config/check', text);
    if (checked.check.ok && !this.isDisposed) void this.data.lookAt(text);
    this.show(checked);
  }

  private show(checked: Pick<SweepPlan, 'check' | 'modelShape'>): void {
    if (this.isDisposed) return;
    this.plan = this.planWith(checked);
    this.tell(this.plan);
  }

  private planWith(checked: Pick<SweepPlan, 'check' | 'modelShape'>): SweepPlan {
    const path = this.document.uri.fsPath;
    const { state } = this.data;
    return {
      path,
      name: this.document.shown().name,
      // The settings that a run was started with are its record, and nobody should edit them.
      isRecord: this.services.runs.get(dirname(path)) !== undefined,
      ...checked,
      rows: state.kind === 'ready' ? state.overview.rows : null,
    };
  }
}
