import { fork, type ChildProcess } from 'node:child_process';
import {
  createMessageConnection,
  ErrorCodes,
  IPCMessageReader,
  IPCMessageWriter,
  ResponseError,
  type MessageConnection,
} from 'vscode-languageserver/node';
import { nodeEnvironment } from './trainerProcess.js';

/** What one backend process does: `session.run` holds the thread, so whatever computes has a process of its own. */
export type WorkerRole = 'generate' | 'preflight' | 'data';

export interface Worker {
  readonly connection: MessageConnection;
  readonly process: ChildProcess;
  /** Rejects when the process ends, which may be before it has answered. */
  readonly ended: Promise<never>;
}

const works: Readonly<Record<WorkerRole, string>> = {
  generate: 'generates text',
  preflight: 'runs the pre-flight',
  data: 'reads the data',
};

/** Starts this same program in another role. */
export function startWorker(role: WorkerRole): Worker {
  const child = fork(__filename, [role], {
    env: nodeEnvironment,
    execArgv: [],
    // stdout belongs to the language server's protocol; what a worker prints goes to the log.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => {
      const message = `The process that ${works[role]} has ended (${signal ?? `exit code ${code}`}). Is there enough memory?`;
      reject(new ResponseError(ErrorCodes.InternalError, message));
      connection.dispose();
    });
  });
  ended.catch(() => undefined); // no defect where nothing was asked
  return { connection, process: child, ended };
}

/** The other end, inside the worker. Ends with its parent. */
export function parentConnection(): MessageConnection {
  const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
  process.on('disconnect', () => process.exit(0));
  return connection;
}
