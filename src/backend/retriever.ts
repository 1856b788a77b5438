import { setTimeout as sleep } from 'node:timers/promises';
import type { OtherFile } from '../core/tokenizer/fillInTheMiddlePrompt.js';
import { startWorker, type Worker } from './workerConnection.js';
import { indexRequest, retrieveRequest, type RetrieveParams } from './workerProtocol.js';

/** A suggestion does not wait longer for other files; a search takes a few milliseconds. */
const patienceMs = 100;

/** Files often change many at a time. */
const collectMs = 2000;

/** Finds what resembles the text at the cursor in the workspace; the index is in another process, which runs only while there are folders. */
export class Retriever {
  private folders: readonly string[] = [];
  private worker: Worker | undefined;
  private isReady = false;
  private changes: NodeJS.Timeout | undefined;

  /** `log` hears why a workspace could not be read. */
  constructor(private readonly log: (message: string) => void) {}

  /** Indexes these folders in the background; none ends the process. */
  use(folders: readonly string[]): void {
    if (folders.join('\n') === this.folders.join('\n')) return;
    this.folders = folders;
    if (folders.length === 0) this.stop();
    else this.update();
  }

  /** Files have changed, whichever. */
  changed(): void {
    if (this.folders.length === 0) return;
    this.changes ??= setTimeout(() => {
      this.changes = undefined;
      this.update();
    }, collectMs);
  }

  /** Nothing until the folders have been read. */
  async find(params: RetrieveParams): Promise<readonly OtherFile[]> {
    if (!this.worker || !this.isReady) return [];
    const { connection, ended } = this.worker;
    const found = connection.sendRequest(retrieveRequest, params);
    return Promise.race([found, ended, sleep(patienceMs, [])]).catch(() => []);
  }

  stop(): void {
    clearTimeout(this.changes);
    this.changes = undefined;
    this.worker?.process.kill();
    this.forget();
  }

  private update(): void {
    const worker = (this.worker ??= this.start());
    Promise.race([worker.ended, worker.connection.sendRequest(indexRequest, { folders: this.folders })]).then(
      () => (this.isReady = this.worker === worker),
      (error: Error) => {
        if (this.worker === worker) this.log(error.message);
      },
    );
  }

  private start(): Worker {
    const worker = startWorker('retrieve');
    worker.process.once('exit', () => {
      if (this.worker === worker) this.forget();
    });
    return worker;
  }

  private forget(): void {
    this.worker = undefined;
    this.isReady = false;
  }
}
