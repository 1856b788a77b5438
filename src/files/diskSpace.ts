import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { UserError } from '../core/errors.js';
import { bytesInWords } from '../l10n/bytesInWords.js';
import { t } from '../l10n/text.js';
import { exists, reading } from './reading.js';

/** Throws UserError('file-write-failed') if `bytes` do not fit on the disk that `path` is, or will be, on. */
export function checkDiskSpace(path: string, bytes: number): void {
  let folder = path;
  while (!exists(folder)) folder = dirname(folder);
  const { bavail, bsize } = reading(folder, () => statfsSync(folder));
  const free = bavail * bsize;
  if (bytes <= free) return;
  const message = t`${path} would take ${bytesInWords(bytes)}, and its disk has ${bytesInWords(free)} free. Free some space, or choose another folder.`;
  throw new UserError('file-write-failed', message);
}
