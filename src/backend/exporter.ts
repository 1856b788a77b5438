import { LSPErrorCodes, ResponseError, type CancellationToken } from 'vscode-languageserver/node';
import type { WithWorkId, WorkProgress } from '../protocol/backend.js';
import type { ExportRequest, ExportResult } from '../protocol/export.js';
import type { MergeRequest, MergeResult } from '../protocol/mergeAdapters.js';
import { startWorker, type Worker } from './workerConnection.js';
import { exportRequest, mergeRequest, workProgressNotification } from './workerProtocol.js';

/** How long a cancelled worker may take to remove what it has written. */
const graceMs = 10_000;

/** Writes models and adapters, each in a process of its own. */
export class Exporter {
  private readonly workers = new Set<Worker>();

  constructor(private readonly onProgress: (progress: WorkProgress) => void) {}

  export(params: WithWorkId<ExportRequest>, token: CancellationToken): Promise<ExportResult> {
    return this.run(({ connection }) => connection.sendRequest(exportRequest, params, token), token);
  }

  merge(params: WithWorkId<MergeRequest>, token: CancellationToken): Promise<MergeResult> {
    return this.run(({ connection }) => connection.sendRequest(mergeRequest, params, token), token);
  }

  stop(): void {
    for (const worker of this.workers) worker.process.kill();
  }

  /** The worker itself ends what is cancelled; it is killed only if it takes too long. */
  private async run<Result>(work: (worker: Worker) => Promise<Result>, token: CancellationToken): Promise<Result> {
    const worker = startWorker('export');
    this.workers.add(worker);
    worker.connection.onNotification(workProgressNotification, this.onProgress);
    let killing: NodeJS.Timeout | undefined;
    const cancelled = token.onCancellationRequested(() => (killing = setTimeout(() => worker.process.kill(), graceMs)));
    try {
      return await Promise.race([worker.ended, work(worker)]);
    } catch (error) {
      throw token.isCancellationRequested ? new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled') : error;
    } finally {
      cancelled.dispose();
      clearTimeout(killing);
      this.workers.delete(worker);
      worker.process.kill();
    }
  }
}
