import { startEndpoint } from '../serve/endpoint.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { serveRequest } from './workerProtocol.js';

/** Answers other tools in a separate process, which ends with the backend. */
export function serveEndpoint(): void {
  const connection = parentConnection();
  connection.onRequest(
    serveRequest,
    withErrorResponses(async (params) => {
      const { url, models } = await startEndpoint({ ...params, host: '127.0.0.1', corsOrigins: [] });
      return { url, models };
    }),
  );
  connection.listen();
}
