import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { makeFolder } from '../../files/atomicWrite.js';
import { t } from '../../l10n/text.js';
import { livingOwner, ProcessLock } from '../processLock.js';

/** One worker per runs folder. Throws UserError('run-busy') while another process works this queue. */
export function lockQueue(folder: string): ProcessLock {
  makeFolder(queueFolder(folder));
  return ProcessLock.acquire(lockPath(folder), (owner) => {
    const message = owner
      ? t`Process ${owner.pid} already trains the runs that wait in ${folder}.`
      : t`Another process already trains the runs that wait in ${folder}.`;
    return new UserError('run-busy', message);
  });
}

/** Whether a process works the queue of this runs folder. */
export function hasWorker(folder: string): boolean {
  return livingOwner(lockPath(folder)) !== undefined;
}

/** One process starts the next worker when one has ended. Undefined if there is one that does so already; nothing then needs another. */
export function lockKeeper(folder: string): ProcessLock | undefined {
  makeFolder(queueFolder(folder));
  const taken = new UserError('run-busy', t`Another process already trains the runs that wait in ${folder}.`);
  try {
    return ProcessLock.acquire(keeperPath(folder), () => taken);
  } catch (error) {
    if (error === taken) return undefined;
    throw error;
  }
}

export function hasKeeper(folder: string): boolean {
  return livingOwner(keeperPath(folder)) !== undefined;
}

/** What workers said, and their last words. */
export function queueLogPath(folder: string): string {
  return join(queueFolder(folder), 'log.txt');
}

export function queueFolder(folder: string): string {
  return join(folder, '.queue');
}

function lockPath(folder: string): string {
  return join(queueFolder(folder), 'lock');
}

function keeperPath(folder: string): string {
  return join(queueFolder(folder), 'keeper');
}
