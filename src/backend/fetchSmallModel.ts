import type { CancellationToken } from 'vscode-languageserver/node';
import { UserError } from '../core/errors.js';
import { fetchSmolLM2, smolLM2 } from '../files/fetch/smolLM2.js';
import { t } from '../l10n/text.js';
import type { BackendNotifications } from '../protocol/backend.js';
import { abortSignal } from './abortSignal.js';

type Progress = BackendNotifications['loraWorkbench/models/fetching'];

/** Progress is reported at most twice a second, because a download arrives in thousands of pieces. */
const pauseMs = 500;

/** Fetches a starter model for users who have none. Throws UserError with the reasons if it is unavailable. */
export async function fetchSmallModel(token: CancellationToken, tell: (progress: Progress) => void): Promise<{ path: string }> {
  const said: string[] = [];
  let toldAt = 0;
  const report = {
    say: (line: string) => void said.push(line.trim()),
    progress(done: number, total: number) {
      if (performance.now() - toldAt < pauseMs) return;
      toldAt = performance.now();
      tell({ done, total });
    },
  };
  const path = await fetchSmolLM2(report, abortSignal(token));
  if (path !== undefined) return { path };
  throw new UserError(
    'file-not-found',
    t`${smolLM2.name} cannot be fetched from here. ${said.reduce((before, line) => t`${before}. ${line}`)}.`,
  );
}
