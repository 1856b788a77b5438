import { fork, type ChildProcess } from 'node:child_process';
import {
  createMessageConnection,
  ErrorCodes,
  IPCMessageReader,
  IPCMessageWriter,
  ResponseError,
  type MessageConnection,
} from 'vscode-languageserver/node';
import { t } from '../l10n/text.js';
import { nodeEnvironment } from './trainerProcess.js';

/** The role of a worker process. `session.run` blocks its thread, so everything that computes runs in a separate process. */
export type WorkerRole = 'generate' | 'serve' | 'preflight' | 'data' | 'export' | 'analysis' | 'evaluate' | 'retrieve';

export interface Worker {
  readonly connection: MessageConnection;
  readonly process: ChildProcess;
  /** Rejects when the process ends, which may be before it has answered. */
  readonly ended: Promise<never>;
}

/** Starts this same program in another role. */
export function startWorker(role: WorkerRole): Worker {
  const child = fork(__filename, [role], {
    env: nodeEnvironment(),
    execArgv: [],
    // stdout belongs to the language server's protocol; what a worker writes to stderr goes to the log.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  connection.listen();
  const ended = new Promise<never>((_, reject) => {
    child.once('exit', (code, signal) => {
      reject(new ResponseError(ErrorCodes.InternalError, hasEnded(role, signal ?? t`exit code ${String(code)}`)));
      connection.dispose();
    });
  });
  ended.catch(() => undefined); // not an unhandled rejection if no request is pending
  return { connection, process: child, ended };
}

function hasEnded(role: WorkerRole, how: string): string {
  switch (role) {
    case 'generate':
      return t`The process that generates text has ended (${how}). Is there enough memory?`;
    case 'serve':
      return t`The endpoint for other tools has ended (${how}). Is there enough memory?`;
    case 'preflight':
      return t`The process that runs the pre-flight has ended (${how}). Is there enough memory?`;
    case 'data':
      return t`The process that reads the data has ended (${how}). Is there enough memory?`;
    case 'export':
      return t`The process that writes the files has ended (${how}). Is there enough memory?`;
    case 'analysis':
      return t`The process that examines the adapter has ended (${how}). Is there enough memory?`;
    case 'evaluate':
      return t`The process that evaluates has ended (${how}). Is there enough memory?`;
    case 'retrieve':
      return t`The process that searches the workspace has ended (${how}). Is there enough memory?`;
  }
}

/** The worker's end of the connection. The worker exits when its parent does. */
export function parentConnection(): MessageConnection {
  const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
  process.on('disconnect', () => process.exit(0));
  return connection;
}
