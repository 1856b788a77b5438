import { fork, type ChildProcess } from 'node:child_process';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from 'vscode-languageserver/node';
import { nodeEnvironment } from './trainerProcess.js';

/** What one backend process does: `session.run` holds the thread, so whatever computes has a process of its own. */
export type WorkerRole = 'generate' | 'preflight';

export interface Worker {
  readonly connection: MessageConnection;
  readonly process: ChildProcess;
}

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
  return { connection, process: child };
}

/** The other end, inside the worker. Ends with its parent. */
export function parentConnection(): MessageConnection {
  const connection = createMessageConnection(new IPCMessageReader(process), new IPCMessageWriter(process));
  process.on('disconnect', () => process.exit(0));
  return connection;
}
