import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { ProcessLock } from './processLock.js';

/** One trainer per run directory. Throws UserError('run-busy') while another process is training this run. */
export function lockRun(runFolder: string): ProcessLock {
  return ProcessLock.acquire(join(runFolder, 'lock'), (owner) => {
    const message = owner
      ? t`${runFolder} is being trained by process ${owner.pid}. Stop it first, or choose another folder.`
      : t`${runFolder} is being trained by another process. Stop it first, or choose another folder.`;
    return new UserError('run-busy', message);
  });
}
