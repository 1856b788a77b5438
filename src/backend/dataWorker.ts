import type { RunConfig } from '../protocol/runConfig.js';
import { OpenData } from '../runs/openData.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { dataExamplesRequest, dataOverviewRequest, dataProgressNotification } from './workerProtocol.js';

/** Serves data sets for viewing and keeps the last one in memory. */
export function serveData(): void {
  const connection = parentConnection();
  const tellProgress = (share: number) => void connection.sendNotification(dataProgressNotification, { share });
  let kept: { readonly settings: string; readonly data: OpenData } | undefined;
  const read = async (config: RunConfig): Promise<OpenData> => {
    kept = undefined; // released before reading the next one: two may not fit into memory
    const data = await OpenData.read(config, { onProgress: tellProgress });
    kept = { settings: settingsOf(config), data };
    return data;
  };
  // An overview is requested when something has changed, possibly a file, so it always rereads the data.
  connection.onRequest(
    dataOverviewRequest,
    withErrorResponses(async (config: RunConfig) => (await read(config)).overview()),
  );
  connection.onRequest(
    dataExamplesRequest,
    withErrorResponses(async ({ config, query }, token) => {
      const data = kept?.settings === settingsOf(config) ? kept.data : await read(config);
      return data.examples(query, abortSignal(token));
    }),
  );
  connection.listen();
}

/** Configs with equal settings yield the same examples. */
function settingsOf({ model, data, train }: RunConfig): string {
  return JSON.stringify([model, data, train.seed]);
}
