import { UserError } from '../../core/errors.js';
import { bytesInWords } from '../../l10n/bytesInWords.js';
import { t } from '../../l10n/text.js';
import { downloadFiles, missingOfAll, requireSpace, sizeOfAll } from '../hub/downloadFiles.js';
import { cachedFile } from '../hub/hubCache.js';
import { HubClient } from '../hub/hubClient.js';
import type { HubFile, HubListing } from '../hub/repository.js';
import { hubDataReference, type HubDataReference } from './reference.js';
import { chooseDataFiles } from './splits.js';
import { rememberData, storedData, type StoredFile } from './store.js';

export interface FetchPorts {
  /** Sentences about what is downloaded. */
  note(text: string): void;
  onProgress(doneBytes: number, totalBytes: number): void;
  readonly signal: AbortSignal;
  /** Instead of the one of the environment or the login. */
  readonly token?: string | undefined;
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
  const client = new HubClient({ token: ports.token });
  const listing = await client.list(reference.repository, ports.signal);
  const { files, otherSelections } = chosenFiles(reference, listing);
  const missing = files.filter((file) => cachedFile(listing, file) === undefined);
  requireSpace(reference.repository.name, missingOfAll(listing, missing));
  describe(reference, listing, missing, otherSelections, ports);
  await downloadFiles(client, listing, missing, (done, total) => ports.onProgress(done, total), ports.signal);
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

function describe(
  { text, repository }: HubDataReference,
  { licence }: HubListing,
  files: readonly HubFile[],
  others: readonly string[],
  { note }: FetchPorts,
): void {
  if (files.length > 0) {
    const size = bytesInWords(sizeOfAll(files));
    note(
      files.length === 1 ? t`Downloading ${text}: one file, ${size}.` : t`Downloading ${text}: ${files.length} files, ${size}.`,
    );
  }
  if (licence !== null) note(t`Its licence is ${licence}.`);
  if (others.length > 0) note(t`Also there: ${others.map((other) => `${repository.name}:${other}`).join(', ')}.`);
}
