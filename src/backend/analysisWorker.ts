import { adapterSpectrum, similarityGrids } from '../analysis/adapterSpectrum.js';
import { findIntruders } from '../analysis/intruders.js';
import { probeForLeaks } from '../analysis/leakProbe.js';
import { cancellablePace, type Pace } from '../analysis/pace.js';
import { rankLosses } from '../analysis/rankLosses.js';
import type { CancellationToken, RequestType } from 'vscode-languageserver/node';
import type { WithWorkId } from '../protocol/backend.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { progressTeller } from './tellProgress.js';
import { parentConnection } from './workerConnection.js';
import { intrudersRequest, leakProbeRequest, rankLossesRequest, similarityRequest, spectrumRequest } from './workerProtocol.js';

/** Serves one analysis in a process of its own. */
export function serveAnalysis(): void {
  const connection = parentConnection();
  const tell = progressTeller(connection);
  const answer = <Params, Result>(
    request: RequestType<WithWorkId<Params>, Result, void>,
    analyze: (params: WithWorkId<Params>, pace: Pace) => Promise<Result> | Result,
  ) =>
    connection.onRequest(
      request.method,
      withErrorResponses((params: WithWorkId<Params>, token: CancellationToken) => {
        const report = (progress: { done: number; total: number }) =>
          tell({ workId: params.workId, stage: 'analyzing', ...progress });
        return analyze(params, cancellablePace(report, abortSignal(token)));
      }),
    );
  answer(spectrumRequest, ({ workId: _, ...request }, pace) => adapterSpectrum(request, pace));
  answer(similarityRequest, (request) => similarityGrids(request));
  answer(intrudersRequest, (request, pace) => findIntruders(request, pace));
  answer(rankLossesRequest, ({ engine, ...request }, pace) => rankLosses(request, engine, pace));
  answer(leakProbeRequest, ({ engine, workId: _, ...request }, pace) => probeForLeaks(request, engine, pace));
  connection.listen();
}
