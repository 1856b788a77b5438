import {
  appendFileSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { isRunning } from './isRunning.js';

/** Text, bytes, or bytes in pieces. */
export type Content = string | Uint8Array | readonly Uint8Array[];

/**
 * Replaces a file so that readers see the old content or the new, never a part, even after a power cut: the content is written
 * under a temporary name next to the file, flushed to disk and renamed. On failure, throws UserError('file-write-failed') and
 * leaves the old file untouched.
 */
export function writeFileAtomically(path: string, content: Content): void {
  const temporary = hiddenName(path);
  explained(path, () => {
    try {
      writeFlushed(temporary, content);
      rename(temporary, path);
      flushFolder(dirname(path));
    } catch (cause) {
      removeQuietly(temporary);
      throw cause;
    }
  });
}

/**
 * Makes a whole folder appear at once: `fill` writes into a temporary folder, which is flushed and renamed to `path`. An
 * existing folder is removed only once everything is written.
 */
export function replaceFolderAtomically(path: string, fill: (folder: string) => void): void {
  const temporary = hiddenName(path);
  explained(path, () => {
    try {
      removeQuietly(temporary);
      mkdirSync(temporary, { recursive: true });
      fill(temporary);
      flushFolder(temporary);
      if (existsSync(path)) removeFolderAtomically(path);
      rename(temporary, path);
      flushFolder(dirname(path));
    } catch (cause) {
      removeQuietly(temporary);
      throw cause;
    }
  });
}

/**
 * Like replaceFolderAtomically, for work that takes its time and for a `path` that does not exist yet: nothing remains if the work
 * fails or is cancelled, and what a killed process left of the same work is removed. With `asFiles`, the files of the folder take
 * their places next to `path` instead.
 */
export async function staged<Result>(path: string, asFiles: boolean, work: (folder: string) => Promise<Result>): Promise<Result> {
  const temporary = hiddenName(path);
  explained(path, () => {
    removeAbandoned(path);
    mkdirSync(temporary, { recursive: true });
  });
  try {
    const result = await work(temporary);
    explained(path, () => {
      flushFolder(temporary);
      if (asFiles) for (const name of readdirSync(temporary)) rename(join(temporary, name), join(dirname(path), name));
      else rename(temporary, path);
      flushFolder(dirname(path));
    });
    return result;
  } finally {
    removeQuietly(temporary);
  }
}

/** Makes a whole folder disappear at once: it is renamed before it is emptied, so an interrupted removal leaves no half of it. */
export function removeFolderAtomically(path: string): void {
  const hidden = hiddenName(`${path}.old`);
  explained(path, () => rename(path, hidden));
  removeQuietly(hidden);
}

/** Creates a folder and its parents. */
export function makeFolder(path: string): void {
  explained(path, () => mkdirSync(path, { recursive: true }));
}

/** Writes a new file and waits until it is on disk. */
export function writeFlushed(path: string, content: Content): void {
  const pieces = typeof content === 'string' ? [Buffer.from(content)] : content instanceof Uint8Array ? [content] : content;
  explained(path, () => {
    const file = openSync(path, 'w');
    try {
      for (const bytes of pieces) {
        for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      }
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
  });
}

/** Writes a new large file piece by piece. */
export interface PieceWriter {
  write(bytes: Uint8Array): void;
  /** Waits until everything is on disk. */
  finish(): void;
  /** May follow `finish`, or end an unfinished file. */
  close(): void;
}

export function openForPieces(path: string): PieceWriter {
  const file = explained(path, () => openSync(path, 'w'));
  let isOpen = true;
  return {
    write: (bytes) =>
      explained(path, () => {
        for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
      }),
    finish: () => explained(path, () => fsyncSync(file)),
    close() {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/** Appends to a file, which is created if it is missing. */
export function appendToFile(path: string, content: string | Uint8Array): void {
  explained(path, () => appendFileSync(path, content));
}

/** Removes what killed processes left unfinished in a folder to which no other process is writing. */
export function removeUnfinished(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (/^\..*\.\d+\.tmp$/.test(name)) removeQuietly(join(folder, name));
  }
}

/** Removes unfinished work on `path`, except that of other processes that still run. */
function removeAbandoned(path: string): void {
  const start = `.${basename(path)}.`;
  for (const name of readdirSync(dirname(path))) {
    const pid = name.startsWith(start) ? Number(/^(\d+)\.tmp$/.exec(name.slice(start.length))?.[1]) : NaN;
    if (pid === process.pid || (pid > 0 && !isRunning(pid))) removeQuietly(join(dirname(path), name));
  }
}

/** A name for unfinished work; names that begin with a dot are never read. */
function hiddenName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/** Retries on Windows, where a virus scanner or a reader may hold the file for a moment. */
function rename(from: string, to: string): void {
  const attempts = process.platform === 'win32' ? 50 : 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return renameSync(from, to);
    } catch (error) {
      const isHeld = ['EPERM', 'EACCES', 'EBUSY'].includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isHeld || attempt === attempts) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

/** A rename is durable only once the folder that contains the name is on disk. Windows has no such call and needs none. */
function flushFolder(folder: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function removeQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // A disk that refused the write may refuse this too; whatever remains has a hidden name.
  }
}

/** Turns a file system error into a UserError: one sentence with advice. */
function explained<Result>(path: string, write: () => Result): Result {
  try {
    return write();
  } catch (cause) {
    throw writeFailure(path, cause);
  }
}

/** The UserError for a file system error; anything else as it is. */
export function writeFailure(path: string, cause: unknown): unknown {
  if (cause instanceof UserError || !(cause instanceof Error) || !('code' in cause)) return cause;
  return new UserError('file-write-failed', t`${path} could not be written: ${reason(cause)}`, { cause });
}

function reason(error: Error & { code?: unknown }): string {
  switch (error.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return t`the disk is full. Free some space and resume.`;
    case 'EACCES':
    case 'EPERM':
      return t`permission denied. Choose a folder that you can write to.`;
    case 'EROFS':
      return t`the disk is read-only. Choose another folder.`;
    default:
      return `${error.message}.`;
  }
}
