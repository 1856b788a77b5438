import type { CancellationToken } from 'vscode-languageserver/node';
import type { GenerateParams, GenerateSummary } from '../protocol/backend.js';
import { startWorker, type Worker } from './workerConnection.js';
import {
  completeRequest,
  engineRequest,
  generateRequest,
  tokenNotification,
  type CompleteParams,
  type EngineChoice,
} from './workerProtocol.js';

/** The process that generates text: started when first needed, and again after it died. */
export class Generator {
  private worker: Worker | undefined;

  constructor(
    private engine: EngineChoice,
    private readonly onToken: (piece: { streamId: string; text: string }) => void,
  ) {}

  setEngine(engine: EngineChoice): void {
    this.engine = engine;
    void this.worker?.connection.sendRequest(engineRequest, engine);
  }

  generate(params: GenerateParams, token: CancellationToken): Promise<GenerateSummary> {
    return this.connection().sendRequest(generateRequest, params, token);
  }

  complete(params: CompleteParams, token: CancellationToken): Promise<string> {
    return this.connection().sendRequest(completeRequest, params, token);
  }

  stop(): void {
    this.worker?.process.kill();
    this.worker = undefined;
  }

  private connection(): Worker['connection'] {
    if (!this.worker) {
      const worker = startWorker('generate');
      worker.connection.onNotification(tokenNotification, this.onToken);
      worker.process.once('exit', () => {
        worker.connection.dispose();
        if (this.worker === worker) this.worker = undefined;
      });
      void worker.connection.sendRequest(engineRequest, this.engine);
      this.worker = worker;
    }
    return this.worker.connection;
  }
}
