import { exportModel } from '../export/exportModel.js';
import { mergeAdapters } from '../export/mergeAdapters.js';
import type { MergeProgress } from '../protocol/mergeAdapters.js';
import { writeExportedCard, writeSumCard } from '../runs/card/writeModelCard.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { progressTeller } from './tellProgress.js';
import { parentConnection } from './workerConnection.js';
import { exportRequest, mergeRequest } from './workerProtocol.js';

/** Serves one export or merge in a process of its own. */
export function serveExport(): void {
  const connection = parentConnection();
  const tell = progressTeller(connection);
  connection.onRequest(
    exportRequest,
    withErrorResponses(async ({ workId, ...request }, token) => {
      const result = await exportModel(request, (progress) => tell({ workId, ...progress }), abortSignal(token));
      writeExportedCard(request, result);
      return result;
    }),
  );
  connection.onRequest(
    mergeRequest,
    withErrorResponses(async ({ workId, ...request }, token) => {
      const report = (progress: MergeProgress) => tell({ workId, stage: 'merging', ...progress });
      const result = await mergeAdapters(request, report, abortSignal(token));
      writeSumCard(request, result);
      return result;
    }),
  );
  connection.listen();
}
