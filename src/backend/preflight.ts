import { LSPErrorCodes, ResponseError, type CancellationToken, type RequestType } from 'vscode-languageserver/node';
import type { RunConfig } from '../protocol/runConfig.js';
import { startWorker } from './workerConnection.js';

/** Asks a process of its own about a config; cancelling ends that process. */
export async function askPreflight<Result>(
  request: RequestType<RunConfig, Result, void>,
  config: RunConfig,
  token: CancellationToken,
): Promise<Result> {
  const { connection, process: child, ended } = startWorker('preflight');
  const cancelled = new Promise<never>((_, reject) => {
    token.onCancellationRequested(() => reject(new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled')));
  });
  try {
    return await Promise.race([ended, cancelled, connection.sendRequest(request, config)]);
  } finally {
    child.kill();
  }
}
