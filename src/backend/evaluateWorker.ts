import { evaluateRun } from '../evaluation/evaluateRun.js';
import { evaluateSweep } from '../sweep/evaluateSweep.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { progressTeller } from './tellProgress.js';
import { parentConnection } from './workerConnection.js';
import { evaluateCompletionRequest, evaluateSweepRequest } from './workerProtocol.js';

/** Serves one evaluation of inline completion in a process of its own. */
export function serveEvaluate(): void {
  const connection = parentConnection();
  const tell = progressTeller(connection);
  connection.onRequest(
    evaluateCompletionRequest,
    withErrorResponses(async ({ workId, engine, ...request }, token) => {
      await evaluateRun(request, engine, (progress) => tell({ workId, ...progress }), abortSignal(token));
      return null;
    }),
  );
  connection.onRequest(
    evaluateSweepRequest,
    withErrorResponses(async ({ workId, engine, ...request }, token) => {
      await evaluateSweep(request, engine, (progress) => tell({ workId, ...progress }), abortSignal(token));
      return null;
    }),
  );
  connection.listen();
}
