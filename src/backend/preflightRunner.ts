import { LSPErrorCodes, ResponseError, type CancellationToken } from 'vscode-languageserver/node';
import type { PreflightReport } from '../protocol/preflight.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { startWorker } from './workerConnection.js';
import { preflightNote, preflightRequest } from './workerProtocol.js';

/** Runs a pre-flight in a separate process; cancelling kills that process. */
export async function runPreflight(
  config: RunConfig,
  note: (text: string) => void,
  token: CancellationToken,
): Promise<PreflightReport> {
  const { connection, process: child, ended } = startWorker('preflight');
  connection.onNotification(preflightNote, note);
  const cancelled = new Promise<never>((_, reject) => {
    token.onCancellationRequested(() => reject(new ResponseError(LSPErrorCodes.RequestCancelled, 'cancelled')));
  });
  try {
    return await Promise.race([ended, cancelled, connection.sendRequest(preflightRequest, config)]);
  } finally {
    child.kill();
  }
}
