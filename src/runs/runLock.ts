import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFlushed } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './processIdentity.js';

/**
 * One trainer per run directory. The lock names its owner's pid and start time, so that a lock left by a killed process is
 * recognised and taken over. (Locks kept fresh by a timer would look stale here: a training step holds the thread.)
 */
export class RunLock {
  private constructor(private readonly path: string) {}

  /** Throws UserError('run-busy') while another process trains this run. */
  static acquire(runFolder: string): RunLock {
    const path = join(runFolder, 'lock');
    const mine = `${path}.${process.pid}`;
    rmSync(mine, { recursive: true, force: true });
    makeFolder(mine);
    writeFlushed(join(mine, 'owner.json'), JSON.stringify(ownIdentity()));
    try {
      if (!tryMove(mine, path)) {
        removeStale(path, runFolder);
        if (!tryMove(mine, path)) throw busy(runFolder, readOwner(path));
      }
      return new RunLock(path);
    } finally {
      rmSync(mine, { recursive: true, force: true });
    }
  }

  release(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** A folder renamed appears with its content or not at all, and on every file system fails where a filled folder stands. */
function tryMove(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (existsSync(to)) return false;
    throw error;
  }
}

/** Moved away before it is removed: of two processes that find the same stale lock, the slower must not remove the faster's. */
function removeStale(path: string, runFolder: string): void {
  const owner = readOwner(path);
  if (owner && isAlive(owner)) throw busy(runFolder, owner);
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  const moved = readOwner(aside);
  if (moved && isAlive(moved)) tryMove(aside, path);
  rmSync(aside, { recursive: true, force: true });
}

function readOwner(path: string): ProcessIdentity | undefined {
  try {
    const owner: unknown = JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8'));
    return isIdentity(owner) ? owner : undefined;
  } catch {
    return undefined;
  }
}

function isIdentity(value: unknown): value is ProcessIdentity {
  return typeof value === 'object' && value !== null && 'pid' in value && typeof value.pid === 'number' && 'start' in value;
}

function busy(runFolder: string, owner: ProcessIdentity | undefined): UserError {
  const message = owner
    ? t`${runFolder} is being trained by process ${owner.pid}. Stop it first, or choose another folder.`
    : t`${runFolder} is being trained by another process. Stop it first, or choose another folder.`;
  return new UserError('run-busy', message);
}
