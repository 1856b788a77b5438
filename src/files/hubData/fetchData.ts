import { statfsSync } from 'node:fs';
import { UserError } from '../../core/errors.js';
import { bytesInWords } from '../../l10n/bytesInWords.js';
import { t } from '../../l10n/text.js';
import { makeFolder } from '../atomicWrite.js';
import { cachedFile } from '../hub/hubCache.js';
import { HubClient } from '../hub/hubClient.js';
import { hubCacheFolder } from '../hub/hubSettings.js';
import type { HubFile, HubListing } from '../hub/repository.js';
import { hubDataReference, type HubDataReference } from './reference.js';
import { chooseDataFiles } from './splits.js';
import { rememberData, storedData, type StoredFile } from './store.js';

export interface FetchPorts {
  /** Sentences about what is downloaded. */
  note(text: string): void;
  onProgress(doneBytes: number, totalBytes: number): void;
  readonly signal: AbortSignal;
}

/** Downloads what of the data sets is not on this machine; local paths are left alone. Throws HubError or UserError. */
export async function fetchData(paths: readonly (string | null)[], ports: FetchPorts): Promise<void> {
  for (const path of paths) {
    const reference = path === null ? undefined : hubDataReference(path);
    if (reference && !storedData(reference)) await downloadData(reference, ports).catch(noPathEither(reference));
  }
}

/** Whoever mistyped a path should hear of that, not only of the hub. */
function noPathEither({ text }: HubDataReference): (error: unknown) => never {
  return (error) => {
    const isAbsent = error instanceof UserError && (error.code === 'access-denied' || error.code === 'file-not-found');
    throw isAbsent ? new UserError(error.code, t`There is no file or folder ${text}. ${error.message}`, { cause: error }) : error;
  };
}

/** Downloads a data set, or what has changed of it, into the cache that all tools of the hub share. */
export async function downloadData(reference: HubDataReference, ports: FetchPorts): Promise<StoredFile[]> {
  const client = new HubClient();
  const listing = await client.list(reference.repository, ports.signal);
  const { files, otherSelections } = chosenFiles(reference, listing);
  const missing = files.filter((file) => cachedFile(listing, file) === undefined);
  requireSpace(missing);
  describe(reference, listing, missing, otherSelections, ports);
  await downloadAll(client, listing, missing, ports);
  rememberData(reference, listing, files);
  return storedData(reference) ?? [];
}

function chosenFiles(reference: HubDataReference, { files, card }: HubListing) {
  const { paths, otherSelections } = chooseDataFiles(
    reference,
    files.map(({ path }) => path),
    card,
  );
  return { files: files.filter(({ path }) => paths.includes(path)), otherSelections };
}

function requireSpace(files: readonly HubFile[]): void {
  const folder = hubCacheFolder();
  makeFolder(folder);
  const { bavail, bsize } = statfsSync(folder);
  const [needed, free] = [sizeOf(files), bavail * bsize];
  if (needed <= free) return;
  throw new UserError(
    'file-write-failed',
    t`The download takes ${bytesInWords(needed)}, and ${folder} has ${bytesInWords(free)} free. Make room, or set HF_HOME to a folder elsewhere.`,
  );
}

function describe(
  { text, repository }: HubDataReference,
  { licence }: HubListing,
  files: readonly HubFile[],
  others: readonly string[],
  { note }: FetchPorts,
): void {
  if (files.length > 0) {
    const size = bytesInWords(sizeOf(files));
    note(
      files.length === 1 ? t`Downloading ${text}: one file, ${size}.` : t`Downloading ${text}: ${files.length} files, ${size}.`,
    );
  }
  if (licence !== null) note(t`Its licence is ${licence}.`);
  if (others.length > 0) note(t`Also there: ${others.map((other) => `${repository.name}:${other}`).join(', ')}.`);
}

async function downloadAll(
  client: HubClient,
  listing: HubListing,
  files: readonly HubFile[],
  { onProgress, signal }: FetchPorts,
): Promise<void> {
  const total = sizeOf(files);
  let before = 0;
  for (const file of files) {
    await client.download(listing, file, (done) => onProgress(before + done, total), signal);
    before += file.sizeBytes;
    onProgress(before, total);
  }
}

function sizeOf(files: readonly HubFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
