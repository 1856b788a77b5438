import type { CancellationToken } from 'vscode-languageserver/node';
import type { EngineChoice } from '../inference/textModels.js';
import type { EndpointInfo, EndpointParams } from '../protocol/backend.js';
import { startWorker, type Worker } from './workerConnection.js';
import { serveRequest } from './workerProtocol.js';

/** Manages the process that answers other tools. */
export class EndpointRunner {
  private worker: Worker | undefined;

  constructor(private readonly onEnd: (message: string) => void) {}

  /** Waits until the endpoint listens; cancelling ends it. */
  async start(params: EndpointParams, engine: EngineChoice, token: CancellationToken): Promise<EndpointInfo> {
    this.stop();
    const worker = startWorker('serve');
    this.worker = worker;
    token.onCancellationRequested(() => worker.process.kill());
    try {
      const info = await Promise.race([worker.ended, worker.connection.sendRequest(serveRequest, { ...params, engine })]);
      worker.ended.catch((error: Error) => this.tellEnd(worker, error.message));
      return info;
    } catch (error) {
      worker.process.kill();
      throw error;
    }
  }

  stop(): void {
    this.worker?.process.kill();
    this.worker = undefined;
  }

  /** Nobody is told of an end that was asked for. */
  private tellEnd(worker: Worker, message: string): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    this.onEnd(message);
  }
}
