import type { CancellationToken } from 'vscode-languageserver/node';
import { LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import type { DataOverview, ExamplePage, ExampleQuery } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { startWorker, type Worker } from './workerConnection.js';
import { dataExamplesRequest, dataOverviewRequest, dataProgressNotification } from './workerProtocol.js';

/** How long an idle data set is kept; it takes memory that training could use. */
const keptMs = 5 * 60_000;

/** Reads data in a separate process, which keeps the last data set so that it can be paged through. */
export class DataReader {
  private worker: Worker | undefined;
  private idle: NodeJS.Timeout | undefined;

  constructor(private readonly tellProgress: (share: number) => void) {}

  /** Reading cannot be interrupted, so cancelling kills the process. */
  async overview(config: RunConfig, token: CancellationToken): Promise<DataOverview> {
    const cancelled = new Promise<never>((_, reject) => {
      token.onCancellationRequested(() => {
        this.stop();
        reject(new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled'));
      });
    });
    cancelled.catch(() => undefined);
    return Promise.race([cancelled, this.ask((connection) => connection.sendRequest(dataOverviewRequest, config))]);
  }

  examples(config: RunConfig, query: ExampleQuery, token: CancellationToken): Promise<ExamplePage> {
    return this.ask((connection) => connection.sendRequest(dataExamplesRequest, { config, query }, token));
  }

  stop(): void {
    clearTimeout(this.idle);
    this.worker?.process.kill();
    this.worker = undefined;
  }

  private async ask<Result>(question: (connection: Worker['connection']) => Promise<Result>): Promise<Result> {
    clearTimeout(this.idle);
    const worker = (this.worker ??= this.start());
    try {
      return await Promise.race([worker.ended, question(worker.connection)]);
    } finally {
      clearTimeout(this.idle);
      if (this.worker === worker) this.idle = setTimeout(() => this.stop(), keptMs);
    }
  }

  private start(): Worker {
    const worker = startWorker('data');
    worker.connection.onNotification(dataProgressNotification, ({ share }) => this.tellProgress(share));
    worker.process.once('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    return worker;
  }
}
