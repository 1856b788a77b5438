import { ErrorCodes, LSPErrorCodes, ResponseError, type CancellationToken, type RequestType } from 'vscode-languageserver/node';
import type { RunConfig } from '../protocol/runConfig.js';
import { startWorker } from './workerConnection.js';

/** Asks a process of its own about a config; cancelling ends that process. */
export async function askPreflight<Result>(
  request: RequestType<RunConfig, Result, void>,
  config: RunConfig,
  token: CancellationToken,
): Promise<Result> {
  const { connection, process: child } = startWorker('preflight');
  const ended = new Promise<never>((_, reject) => {
    token.onCancellationRequested(() => reject(new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled')));
    child.once('exit', (code, signal) =>
      reject(new ResponseError(ErrorCodes.InternalError, `The pre-flight ended without a result (${signal ?? code}). Is there enough memory?`)),
    );
  });
  try {
    return await Promise.race([connection.sendRequest(request, config), ended]);
  } finally {
    child.kill();
    connection.dispose();
  }
}
