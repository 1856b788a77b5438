import type { CancellationToken } from 'vscode-languageserver/node';
import type { WithWorkId } from '../protocol/backend.js';
import type { ExportRequest, ExportResult } from '../protocol/export.js';
import type { MergeRequest, MergeResult } from '../protocol/mergeAdapters.js';
import type { CancellableWork } from './cancellableWork.js';
import { exportRequest, mergeRequest } from './workerProtocol.js';

/** Writes models and adapters. */
export class Exporter {
  constructor(private readonly work: CancellableWork) {}

  export(params: WithWorkId<ExportRequest>, token: CancellationToken): Promise<ExportResult> {
    return this.work.run('export', ({ connection }) => connection.sendRequest(exportRequest, params, token), token);
  }

  merge(params: WithWorkId<MergeRequest>, token: CancellationToken): Promise<MergeResult> {
    return this.work.run('export', ({ connection }) => connection.sendRequest(mergeRequest, params, token), token);
  }
}
