import * as vscode from 'vscode';
import type { BackendRequests, RequestMethod, WorkProgress } from '../protocol/backend.js';
import type { BackendClient } from './backendClient.js';

/** The requests that report work/progress. */
type WorkMethod = {
  [Method in RequestMethod]: BackendRequests[Method]['params'] extends { readonly workId: string } ? Method : never;
}[RequestMethod];

/** Runs long requests of the backend under a notification with progress and a button to cancel. */
export class Work {
  private readonly listeners = new Map<string, (progress: WorkProgress) => void>();
  private readonly running = new Map<string, Promise<unknown>>();
  private count = 0;

  constructor(private readonly backend: BackendClient) {
    backend.handle('loraWorkbench/work/progress', (progress) => this.listeners.get(progress.workId)?.(progress));
  }

  /** Returns undefined if the user cancels. Who asks for what is being done already waits for that, instead of doing it twice. */
  async run<Method extends WorkMethod>(
    method: Method,
    params: Omit<BackendRequests[Method]['params'], 'workId'>,
    title: string,
  ): Promise<BackendRequests[Method]['result'] | undefined> {
    const work = JSON.stringify([method, params]);
    const begun = this.running.get(work) ?? this.begin(method, params, title).finally(() => this.running.delete(work));
    this.running.set(work, begun);
    return begun as Promise<BackendRequests[Method]['result'] | undefined>;
  }

  private async begin<Method extends WorkMethod>(
    method: Method,
    params: Omit<BackendRequests[Method]['params'], 'workId'>,
    title: string,
  ): Promise<BackendRequests[Method]['result'] | undefined> {
    const live = await this.backend.ready();
    const options = { location: vscode.ProgressLocation.Notification, title, cancellable: true };
    return vscode.window.withProgress(options, async (notification, token) => {
      const workId = String(this.count++);
      this.listeners.set(workId, reporter(notification));
      try {
        return await live.request(method, { ...params, workId } as BackendRequests[Method]['params'], token);
      } catch (error) {
        if (token.isCancellationRequested) return undefined;
        throw error;
      } finally {
        this.listeners.delete(workId);
      }
    });
  }
}

type Notification = vscode.Progress<{ message?: string; increment?: number }>;

/** The bar shows one stage after the other: it cannot go back, so each gets an equal part of it. */
function reporter(notification: Notification): (progress: WorkProgress) => void {
  let shown = 0;
  return ({ stage, done, total }) => {
    const share = total > 0 ? Math.min(1, done / total) : 0;
    const percent = 100 * share;
    const [first, length] = partOfBar[stage];
    const reached = first + length * percent;
    notification.report({ message: stageText(stage, Math.floor(percent)), increment: Math.max(0, reached - shown) });
    shown = Math.max(shown, reached);
  };
}

/** Where a stage begins on the bar, in percent, and which share of the bar it takes. */
const partOfBar: { readonly [Stage in WorkProgress['stage']]: readonly [number, number] } = {
  preparing: [0, 0],
  writing: [0, 0.5],
  checking: [50, 0.5],
  merging: [0, 1],
  analyzing: [0, 1],
  trainingControl: [0, 0.5],
  completing: [50, 0.5],
};

function stageText(stage: WorkProgress['stage'], percent: number): string {
  switch (stage) {
    case 'preparing':
      return vscode.l10n.t('turning PiSSA into plain LoRA, {0} %', percent);
    case 'writing':
      return vscode.l10n.t('writing, {0} %', percent);
    case 'checking':
      return vscode.l10n.t('comparing with base and adapter, {0} %', percent);
    case 'merging':
      return vscode.l10n.t('lowering the rank, {0} %', percent);
    case 'analyzing':
      return vscode.l10n.t('{0} %', percent);
    case 'trainingControl':
      return vscode.l10n.t('training the control, {0} %', percent);
    case 'completing':
      return vscode.l10n.t('completing, {0} %', percent);
  }
}
