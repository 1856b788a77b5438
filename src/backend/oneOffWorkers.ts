import { LSPErrorCodes, ResponseError, type CancellationToken, type RequestType } from 'vscode-languageserver/node';
import type { WithWorkId, WorkProgress } from '../protocol/backend.js';
import { startWorker, type Worker, type WorkerRole } from './workerConnection.js';
import { workProgressNotification } from './workerProtocol.js';

/** How long a cancelled worker may take to remove what it has written. */
const graceMs = 10_000;

/** Answers requests that take a while, each in a process of its own. */
export class OneOffWorkers {
  private readonly workers = new Set<Worker>();

  constructor(
    private readonly role: WorkerRole,
    private readonly onProgress: (progress: WorkProgress) => void,
  ) {}

  /** The worker itself ends what is cancelled; it is killed only if it takes too long. */
  async run<Params, Result>(
    request: RequestType<WithWorkId<Params>, Result, void>,
    params: WithWorkId<Params>,
    token: CancellationToken,
  ): Promise<Result> {
    const worker = startWorker(this.role);
    this.workers.add(worker);
    worker.connection.onNotification(workProgressNotification, this.onProgress);
    let killing: NodeJS.Timeout | undefined;
    const cancelled = token.onCancellationRequested(() => (killing = setTimeout(() => worker.process.kill(), graceMs)));
    try {
      return await Promise.race([worker.ended, worker.connection.sendRequest<Result>(request.method, params, token)]);
    } catch (error) {
      throw token.isCancellationRequested ? new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled') : error;
    } finally {
      cancelled.dispose();
      clearTimeout(killing);
      this.workers.delete(worker);
      worker.process.kill();
    }
  }

  stop(): void {
    for (const worker of this.workers) worker.process.kill();
  }
}
