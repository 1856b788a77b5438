import type { RunConfig } from '../protocol/runConfig.js';
import { dryRun, lookAtData } from '../runs/prepareRun.js';
import { forPeople } from './errorsForPeople.js';
import { parentConnection } from './workerConnection.js';
import { dataLookRequest, preflightRequest } from './workerProtocol.js';

/** One pre-flight or one look at the data, in a process that can be ended at any moment. */
export function servePreflight(): void {
  const connection = parentConnection();
  connection.onRequest(dataLookRequest, forPeople((config: RunConfig) => lookAtData(config)));
  connection.onRequest(preflightRequest, forPeople((config: RunConfig) => dryRun(config)));
  connection.listen();
}
