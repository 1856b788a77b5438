import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFlushed } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './processIdentity.js';

/**
 * One trainer per run directory. The lock records its owner's pid and start time, so that a lock left by a killed process is
 * recognised and taken over. (A lock kept fresh by a timer would look stale here, since a training step blocks the thread.)
 */
export class RunLock {
  private constructor(private readonly path: string) {}

  /** Throws UserError('run-busy') while another process is training this run. */
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

/** Renaming a folder moves it completely or not at all, and fails on every file system if the target is a non-empty folder. */
function tryMove(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (existsSync(to)) return false;
    throw error;
  }
}

/**
 * Moves the lock aside before removing it: if two processes find the same stale lock, the slower one must not remove the lock
 * that the faster one has just taken.
 */
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
