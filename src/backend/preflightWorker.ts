import { ErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { UserError } from '../core/errors.js';
import { dryRun, lookAtData } from '../runs/prepareRun.js';
import { parentConnection } from './workerConnection.js';
import { dataLookRequest, preflightRequest } from './workerProtocol.js';

/** One pre-flight or one look at the data, in a process that can be ended at any moment. */
export function servePreflight(): void {
  const connection = parentConnection();
  connection.onRequest(dataLookRequest, async (config) => {
    try {
      return lookAtData(config);
    } catch (error) {
      return rethrowForPeople(error);
    }
  });
  connection.onRequest(preflightRequest, (config) => dryRun(config, () => undefined).catch(rethrowForPeople));
  connection.listen();
}

/** Only a message crosses the process boundary; a defect of ours brings its stack along for the log. */
export function rethrowForPeople(error: unknown): never {
  if (error instanceof UserError) throw new ResponseError(ErrorCodes.InvalidRequest, error.message, error.code);
  if (error instanceof Error) process.stderr.write(`${error.stack}\n`);
  throw new ResponseError(ErrorCodes.InternalError, `internal: ${error instanceof Error ? error.message : String(error)}`);
}
