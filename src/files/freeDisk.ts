import { existsSync, statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { bytesInWords } from '../l10n/bytesInWords.js';
import { t } from '../l10n/text.js';
import { reading } from './reading.js';

/** Bytes that this user can still write to the disk of a folder, which need not exist yet. */
export function freeDiskBytes(folder: string): number {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = statfsSync(existing);
  return bavail * bsize;
}

/** Throws UserError('file-write-failed') if `bytes` do not fit on the disk that `path` is, or will be, on. */
export function checkDiskSpace(path: string, bytes: number): void {
  const free = reading(path, () => freeDiskBytes(path));
  if (bytes <= free) return;
  const message = t`${path} would take ${bytesInWords(bytes)}, and its disk has ${bytesInWords(free)} free. Free some space, or choose another folder.`;
  throw new UserError('file-write-failed', message);
}
