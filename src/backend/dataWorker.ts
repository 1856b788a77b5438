import type { RunConfig } from '../protocol/runConfig.js';
import { OpenData } from '../runs/openData.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { dataExamplesRequest, dataOverviewRequest } from './workerProtocol.js';

/** Serves data sets for viewing and keeps the last one in memory. */
export function serveData(): void {
  let kept: { readonly settings: string; readonly data: OpenData } | undefined;
  const read = (config: RunConfig): OpenData => {
    kept = undefined; // released before reading the next one: two may not fit into memory
    const data = OpenData.read(config);
    kept = { settings: settingsOf(config), data };
    return data;
  };
  const connection = parentConnection();
  // An overview is requested when something has changed, possibly a file, so it always rereads the data.
  connection.onRequest(
    dataOverviewRequest,
    withErrorResponses((config: RunConfig) => read(config).overview()),
  );
  connection.onRequest(
    dataExamplesRequest,
    withErrorResponses(({ config, query }, token) => {
      const data = kept?.settings === settingsOf(config) ? kept.data : read(config);
      return data.examples(query, abortSignal(token));
    }),
  );
  connection.listen();
}

/** Configs with equal settings yield the same examples. */
function settingsOf({ model, data, train }: RunConfig): string {
  return JSON.stringify([model, data, train.seed]);
}
