import { UserError } from '../core/errors.js';
import { fetchSmolLM2, smolLM2 } from '../files/fetch/smolLM2.js';
import { t } from '../l10n/text.js';

/** Fetches a starter model for users who have none. Throws UserError with the reasons if it is unavailable. */
export async function fetchSmallModel(
  signal: AbortSignal,
  progress: (done: number, total: number) => void,
): Promise<{ path: string }> {
  const said: string[] = [];
  const path = await fetchSmolLM2({ say: (line) => void said.push(line.trim().replace(/\.$/, '')), progress }, signal);
  if (path !== undefined) return { path };
  throw new UserError(
    'file-not-found',
    t`${smolLM2.name} cannot be fetched from here. ${said.reduce((before, line) => t`${before}. ${line}`)}.`,
  );
}
