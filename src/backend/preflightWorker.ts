import type { RunConfig } from '../protocol/runConfig.js';
import { preflight } from '../runs/preflight/preflight.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { preflightNote, preflightRequest } from './workerProtocol.js';

/** Runs one pre-flight in a process that can be killed at any moment. */
export function servePreflight(): void {
  const connection = parentConnection();
  connection.onRequest(
    preflightRequest,
    withErrorResponses((config: RunConfig) => preflight(config, (text) => void connection.sendNotification(preflightNote, text))),
  );
  connection.listen();
}
