import { retrieve } from '../complete/retrieval/retrieve.js';
import { Mutex } from '../core/mutex.js';
import { withErrorResponses } from './errorResponses.js';
import { parentConnection } from './workerConnection.js';
import { indexRequest, retrieveRequest } from './workerProtocol.js';
import { WorkspaceIndex } from './workspaceIndex.js';

/** Keeps the index of a workspace in a process of its own, so that neither reading nor searching delays the language server. */
export function serveRetrieve(): void {
  const connection = parentConnection();
  const workspace = new WorkspaceIndex();
  const updates = new Mutex();
  connection.onRequest(
    indexRequest,
    withErrorResponses(async ({ folders }) => {
      await updates.runExclusive(() => workspace.update(folders));
      return null;
    }),
  );
  connection.onRequest(
    retrieveRequest,
    withErrorResponses(async ({ query, exceptPath }) => retrieve(workspace.index, query, exceptPath)),
  );
  connection.listen();
}
