/** @file Turns the system's errors about unreadable files and folders into UserErrors. */
import { statSync } from 'node:fs';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';

/** Throws UserError naming what is missing, forbidden or otherwise unreadable. */
export function reading<Result>(path: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** Whether the path exists. Throws UserError if that cannot be determined: a forbidden folder is not a missing file. */
export function exists(path: string): boolean {
  return reading(path, () => statSync(path, { throwIfNoEntry: false }) !== undefined);
}

export function isPermissionDenied(error: unknown): boolean {
  if (error instanceof UserError) return error.code === 'permission-denied';
  return error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
}

function unreadable(path: string, cause: unknown): unknown {
  if (cause instanceof UserError || !(cause instanceof Error) || !('code' in cause)) return cause;
  if (cause.code === 'ENOENT') return new UserError('file-not-found', t`${path} does not exist.`, { cause });
  if (isPermissionDenied(cause)) {
    const message = t`${path} cannot be read: permission denied. Give your user permission to read it and to open the folders above it.`;
    return new UserError('permission-denied', message, { cause });
  }
  return new UserError('file-unreadable', t`${path} cannot be read: ${cause.message}`, { cause });
}

/** Returns undefined for anything missing, unreadable or damaged, which is no reason to stop reading the rest. */
export function ifReadable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error)) return undefined;
    throw error;
  }
}
