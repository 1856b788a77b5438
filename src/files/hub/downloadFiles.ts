import { UserError } from '../../core/errors.js';
import { bytesInWords } from '../../l10n/bytesInWords.js';
import { t } from '../../l10n/text.js';
import { freeDiskBytes } from '../freeDisk.js';
import type { HubClient } from './hubClient.js';
import { missingBytes } from './hubCache.js';
import { hubCacheFolder } from './hubSettings.js';
import type { HubFile, HubListing } from './repository.js';

/** Downloads files one after another; `onProgress` counts all of them together. */
export async function downloadFiles(
  client: HubClient,
  listing: Pick<HubListing, 'repository' | 'commit'>,
  files: readonly HubFile[],
  onProgress: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const totalBytes = sizeOfAll(files);
  let before = 0;
  for (const file of files) {
    await client.download(listing, file, (done) => onProgress(before + done, totalBytes), signal);
    onProgress((before += file.sizeBytes), totalBytes);
  }
}

/** Throws UserError if the disk of the cache is too full for a download. */
export function requireSpace(name: string, neededBytes: number): void {
  const folder = hubCacheFolder();
  const free = freeDiskBytes(folder);
  if (neededBytes <= free) return;
  const message = t`${name} needs ${bytesInWords(neededBytes)}, and the disk of ${folder} has ${bytesInWords(free)} left. Free some space, or set HF_HOME to a folder on another disk.`;
  throw new UserError('file-write-failed', message);
}

export function sizeOfAll(files: readonly HubFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

export function missingOfAll(listing: HubListing, files: readonly HubFile[]): number {
  return files.reduce((sum, file) => sum + missingBytes(listing, file), 0);
}
