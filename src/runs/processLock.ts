import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { UserError } from '../core/errors.js';
import { makeFolder, writeFlushed } from '../files/atomicWrite.js';
import { isAlive, ownIdentity, type ProcessIdentity } from './processIdentity.js';

/**
 * A folder that one process holds at a time. It records its owner's pid and start time, so that a lock left by a killed process is
 * recognised and taken over. (A lock kept fresh by a timer would look stale here, since a training step blocks the thread.)
 */
export class ProcessLock {
  private constructor(private readonly path: string) {}

  /** Throws what `busy` says while another process holds the lock; `owner` is undefined if that cannot be told. */
  static acquire(path: string, busy: (owner: ProcessIdentity | undefined) => UserError): ProcessLock {
    const mine = `${path}.${process.pid}`;
    rmSync(mine, { recursive: true, force: true });
    makeFolder(mine);
    try {
      writeFlushed(join(mine, 'owner.json'), JSON.stringify(ownIdentity()));
      if (!tryMove(mine, path)) {
        const owner = livingOwner(path);
        if (owner) throw busy(owner);
        removeStale(path);
        if (!tryMove(mine, path)) throw busy(readOwner(path));
      }
      return new ProcessLock(path);
    } finally {
      rmSync(mine, { recursive: true, force: true });
    }
  }

  release(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The process that holds the lock, if it is alive. */
export function livingOwner(path: string): ProcessIdentity | undefined {
  const owner = readOwner(path);
  return owner && isAlive(owner) ? owner : undefined;
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
function removeStale(path: string): void {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch {
    return;
  }
  if (livingOwner(aside)) tryMove(aside, path);
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
