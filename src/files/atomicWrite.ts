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

/** Text, bytes, or bytes in pieces. */
export type Content = string | Uint8Array | readonly Uint8Array[];

/**
 * Replaces a file so that readers and power cuts see the old content or the new, never a part: written under a temporary
 * name beside it, flushed to the disk, renamed. Throws UserError('file-write-failed'); the old file is then untouched.
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
 * Makes a whole folder appear at once: `fill` writes into a temporary folder, which is flushed and renamed to `path`. A folder
 * that is there already goes only when all is written.
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

/** Makes a whole folder vanish at once: renamed before it is emptied, so that a removal cut short leaves no half of it. */
export function removeFolderAtomically(path: string): void {
  const hidden = hiddenName(`${path}.old`);
  explained(path, () => rename(path, hidden));
  removeQuietly(hidden);
}

/** Makes a folder and those above it. */
export function makeFolder(path: string): void {
  explained(path, () => mkdirSync(path, { recursive: true }));
}

/** Writes a new file and waits until the disk has it. */
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

/** Adds to the end of a file, which is made where it is missing. */
export function appendToFile(path: string, content: string | Uint8Array): void {
  explained(path, () => appendFileSync(path, content));
}

/** Clears away what killed processes left unfinished in a folder that nobody else writes to now. */
export function removeUnfinished(folder: string): void {
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    if (/^\..*\.\d+\.tmp$/.test(name)) removeQuietly(join(folder, name));
  }
}

/** Unfinished work: names that begin with a dot are never read. */
function hiddenName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
}

/** On Windows a virus scanner or a reader may hold the file for a moment. */
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

/** A rename is safe only once the folder that holds the name is on the disk. Windows has no such call and needs none. */
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
    // The disk that refused the write may refuse this too; what stays has a hidden name.
  }
}

/** Turns what the file system says into one sentence with advice. */
function explained(path: string, write: () => void): void {
  try {
    write();
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new UserError('file-write-failed', t`${path} could not be written: ${reason(cause)}`, { cause });
  }
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
