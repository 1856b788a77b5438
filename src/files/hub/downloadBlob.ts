import { existsSync, renameSync, rmSync } from 'node:fs';
import { t } from '../../l10n/text.js';
import type { HubConnection } from './hubConnection.js';
import { HubError, oddAnswer } from './hubErrors.js';
import { PartialFile } from './partialFile.js';
import { claimPart, releasePart, removeAbandonedParts } from './partialNames.js';
import type { HubFile, HubRepository } from './repository.js';
import { Retries } from './retries.js';

/** A file of the hub to be downloaded. */
export interface BlobSource {
  readonly connection: HubConnection;
  readonly repository: HubRepository;
  readonly url: string;
  readonly file: HubFile;
}

/** Gets the bytes of a file that are there so far. */
export type OnProgress = (doneBytes: number) => void;

/**
 * Downloads a file to `blob`, which appears only once its checksum is right. A part that an earlier download left is continued;
 * whatever ends this one, except a wrong checksum, leaves its part to the next.
 */
export async function downloadBlob(source: BlobSource, blob: string, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const path = claimPart(blob);
  try {
    const part = await PartialFile.open(path, source.file, signal);
    try {
      await fill(part, source, onProgress, signal);
      await part.flush();
    } finally {
      await part.close();
    }
    if (!existsSync(blob)) renameSync(path, blob);
  } catch (error) {
    if (error instanceof WrongChecksum) rmSync(path, { force: true });
    throw error;
  } finally {
    releasePart(path);
  }
  removeAbandonedParts(blob);
}

class WrongChecksum extends HubError {
  constructor({ connection, file }: BlobSource) {
    const host = new URL(connection.endpoint).host;
    super(
      'download-failed',
      t`${file.path} came from ${host} with the wrong checksum. Download it again, or from another mirror.`,
    );
  }
}

async function fill(part: PartialFile, source: BlobSource, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  onProgress(part.doneBytes);
  const isContinued = part.doneBytes > 0;
  await fetchRest(part, source, onProgress, signal);
  if (part.isRight()) return;
  if (!isContinued) throw new WrongChecksum(source);
  // What was there before may come from a machine that lost power.
  await part.restart();
  await fetchRest(part, source, onProgress, signal);
  if (!part.isRight()) throw new WrongChecksum(source);
}

async function fetchRest(part: PartialFile, source: BlobSource, onProgress: OnProgress, signal: AbortSignal): Promise<void> {
  const { connection, file } = source;
  const retries = new Retries(connection.patience, signal);
  while (part.doneBytes < file.sizeBytes) {
    try {
      for await (const piece of await requestRest(part, source, signal)) {
        if (part.doneBytes + piece.length > file.sizeBytes)
          throw oddAnswer(connection.endpoint, t`${file.path} is longer than listed`);
        await part.append(piece);
        retries.progressed();
        onProgress(part.doneBytes);
      }
      if (part.doneBytes < file.sizeBytes) throw endedEarly(file);
    } catch (error) {
      await retries.after(error);
    }
  }
}

/** Asks for what is missing; a server that does not know ranges sends everything. */
async function requestRest(
  part: PartialFile,
  { connection, repository, url, file }: BlobSource,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array>> {
  const headers = new Headers(part.doneBytes > 0 ? { range: `bytes=${part.doneBytes}-` } : {});
  const { response, pieces } = await connection.transfer(url, repository, headers, signal);
  const start = response.status === 206 ? Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1]) : 0;
  if (start === part.doneBytes) return pieces;
  if (start === 0) {
    await part.restart();
    return pieces;
  }
  await response.body?.cancel();
  throw oddAnswer(connection.endpoint, t`it sends another part of ${file.path} than the one asked for`);
}

function endedEarly({ path }: HubFile): HubError {
  const message = t`The connection ended before the whole of ${path} had arrived. Download it again to continue.`;
  return new HubError('download-failed', message, { retryAfterMs: null });
}
