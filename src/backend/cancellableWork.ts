import { LSPErrorCodes, ResponseError, type CancellationToken } from 'vscode-languageserver/node';
import type { WorkProgress } from '../protocol/backend.js';
import { startWorker, type Worker, type WorkerRole } from './workerConnection.js';
import { workProgressNotification } from './workerProtocol.js';

/** How long a cancelled worker may take to remove or save what it has written. */
const graceMs = 10_000;

/** Long requests, each in a process of its own, which ends with it. */
export class CancellableWork {
  private readonly workers = new Set<Worker>();

  constructor(private readonly onProgress: (progress: WorkProgress) => void) {}

  stop(): void {
    for (const worker of this.workers) worker.process.kill();
  }

  /** The worker itself ends what is cancelled; it is killed only if it takes too long. */
  async run<Result>(role: WorkerRole, work: (worker: Worker) => Promise<Result>, token: CancellationToken): Promise<Result> {
    const worker = startWorker(role);
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
