import { ErrorCodes, LSPErrorCodes, ResponseError, type CancellationToken } from 'vscode-languageserver/node';
import type { PreflightReport } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { startWorker } from './workerConnection.js';
import { preflightRequest } from './workerProtocol.js';

/** Looks at the data and measures a step in a process of its own; cancelling ends that process. */
export async function preflight(config: RunConfig, token: CancellationToken): Promise<PreflightReport> {
  const { connection, process: child } = startWorker('preflight');
  const ended = new Promise<never>((_, reject) => {
    token.onCancellationRequested(() => reject(new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled')));
    child.once('exit', (code, signal) =>
      reject(new ResponseError(ErrorCodes.InternalError, `The pre-flight ended without a result (${signal ?? code}). Is there enough memory?`)),
    );
  });
  try {
    return await Promise.race([connection.sendRequest(preflightRequest, config), ended]);
  } finally {
    child.kill();
    connection.dispose();
  }
}
