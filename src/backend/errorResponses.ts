import { ErrorCodes, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import { UserError } from '../core/errors.js';

/** Wraps a handler so that only the messages of its errors reach the other process. A bug in this code also logs its stack. */
export function withErrorResponses<Arguments extends unknown[], Result>(
  handle: (...given: Arguments) => Result | Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  return async (...given) => {
    try {
      return await handle(...given);
    } catch (error) {
      throw response(error);
    }
  };
}

function response(error: unknown): ResponseError<unknown> {
  if (error instanceof ResponseError) return error as ResponseError<unknown>; // from a worker
  if (error instanceof UserError) return new ResponseError(ErrorCodes.InvalidRequest, error.message, error.code);
  if (error instanceof Error && error.name === 'AbortError')
    return new ResponseError(LSPErrorCodes.RequestCancelled, error.message);
  if (error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return new ResponseError(ErrorCodes.InternalError, `internal: ${error instanceof Error ? error.message : String(error)}`);
}
