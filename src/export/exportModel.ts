import type { ExportProgress, ExportRequest, ExportResult } from '../protocol/export.js';

/**
 * Writes what the request asks for and compares it with base and adapter. Throws UserError, and an AbortError once `signal` is
 * aborted; either way nothing remains at `request.out`.
 */
export function exportModel(
  request: ExportRequest,
  report: (progress: ExportProgress) => void,
  signal: AbortSignal,
): Promise<ExportResult> {
  signal.throwIfAborted();
  report({ stage: 'writing', done: 0, total: 1 });
  return Promise.reject(new Error(`internal: cannot write ${request.to} yet`));
}
