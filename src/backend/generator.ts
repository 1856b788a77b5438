import type { CancellationToken } from 'vscode-languageserver/node';
import type { GenerateParams, GenerateSummary } from '../protocol/backend.js';
import type { EngineChoice } from '../inference/textModels.js';
import { startWorker, type Worker } from './workerConnection.js';
import {
  completeRequest,
  engineNotification,
  generateRequest,
  tokenNotification,
  type CompleteParams,
  type Completed,
} from './workerProtocol.js';

/** Manages the process that generates text: starts it on first use and again if it has died. */
export class Generator {
  private worker: Worker | undefined;

  constructor(
    private engine: EngineChoice,
    private readonly onToken: (piece: { streamId: string; text: string }) => void,
  ) {}

  setEngine(engine: EngineChoice): void {
    this.engine = engine;
    if (this.worker) tellEngine(this.worker, engine);
  }

  generate(params: GenerateParams, token: CancellationToken): Promise<GenerateSummary> {
    return this.ask((connection) => connection.sendRequest(generateRequest, params, token));
  }

  /** Returns null if the request was cancelled. */
  complete(params: CompleteParams, token: CancellationToken): Promise<Completed | null> {
    return this.ask((connection) => connection.sendRequest(completeRequest, params, token));
  }

  stop(): void {
    this.worker?.process.kill();
    this.worker = undefined;
  }

  private ask<Result>(question: (connection: Worker['connection']) => Promise<Result>): Promise<Result> {
    this.worker ??= this.start();
    return Promise.race([this.worker.ended, question(this.worker.connection)]);
  }

  private start(): Worker {
    const worker = startWorker('generate');
    worker.connection.onNotification(tokenNotification, this.onToken);
    worker.process.once('exit', () => {
      if (this.worker === worker) this.worker = undefined;
    });
    tellEngine(worker, this.engine);
    return worker;
  }
}

/** Ignores errors: a worker that has ended needs no engine, and the next one is sent it when it starts. */
function tellEngine({ connection }: Worker, engine: EngineChoice): void {
  connection.sendNotification(engineNotification, engine).catch(() => undefined);
}
