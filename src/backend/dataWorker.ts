import type { RunConfig } from '../protocol/runConfig.js';
import { OpenData } from '../runs/openData.js';
import { abortSignal } from './abortSignal.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { dataExamplesRequest, dataOverviewRequest } from './workerProtocol.js';

/** Data sets for people to look at; the one that was looked at last is kept. */
export function serveData(): void {
  let kept: { readonly settings: string; readonly data: OpenData } | undefined;
  const read = (config: RunConfig): OpenData => {
    kept = undefined; // before the next one is read: two may not fit into memory
    const data = OpenData.read(config);
    kept = { settings: settingsOf(config), data };
    return data;
  };
  const connection = parentConnection();
  // A look is asked for when something changed, perhaps a file: it reads anew.
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

/** Equal texts mean the same examples. */
function settingsOf({ model, data, train }: RunConfig): string {
  return JSON.stringify([model, data, train.seed]);
}
