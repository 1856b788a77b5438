import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, existsSync, renameSync, rmSync } from 'node:fs';
import { t } from '../../l10n/text.js';

/** A file whose checksum is known before it is downloaded. */
export interface KnownFile {
  readonly path: string;
  readonly sha256: string;
}

/**
 * Gives a file its name only once its checksum is right, so that a broken download is never mistaken for it. Several callers may
 * fetch it at the same time, each into its own part file; one that fails accepts a file that another has completed meanwhile.
 */
export async function fetchChecked(file: KnownFile, fetch: (into: string) => Promise<void>): Promise<void> {
  const part = `${file.path}.${randomUUID()}.part`;
  try {
    await fetch(part);
    if (!(await hasChecksum(part, file.sha256))) throw new Error(t`the downloaded file has the wrong SHA-256 checksum`);
    renameSync(part, file.path);
  } catch (error) {
    if (!(await isThere(file))) throw error;
  } finally {
    rmSync(part, { force: true });
  }
}

export async function isThere({ path, sha256 }: KnownFile): Promise<boolean> {
  return existsSync(path) && (await hasChecksum(path, sha256));
}

async function hasChecksum(path: string, sha256: string): Promise<boolean> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex') === sha256;
}
