/**
 * @file Which files a data set of the hub consists of, remembered when all of them have been downloaded. So a download that was
 * cut short is never taken for the whole, and a data set stays what it was until somebody downloads it again.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileAtomically } from '../atomicWrite.js';
import { cacheFolder } from '../cacheFolder.js';
import { snapshotFolder } from '../hub/hubCache.js';
import { isCommit, isRelativePath, type HubCommit, type HubFile } from '../hub/repository.js';
import { readJsonFile } from '../jsonFile.js';
import type { HubDataReference } from './reference.js';

export interface StoredFile {
  /** On disk. */
  readonly path: string;
  readonly sizeBytes: number;
}

export function rememberData({ text }: HubDataReference, { commit }: HubCommit, files: readonly HubFile[]): void {
  makeFolder(storeFolder());
  const content = { commit, files: files.map(({ path, sizeBytes }) => ({ path, sizeBytes })) };
  writeFileAtomically(storePath(text), `${JSON.stringify(content, null, 2)}\n`);
}

/** The files on disk; undefined if the data set was never downloaded, or is not there whole any more. */
export function storedData({ text, repository }: HubDataReference): StoredFile[] | undefined {
  const path = storePath(text);
  if (!existsSync(path)) return undefined;
  const { commit, files } = (readJsonFile(path) ?? {}) as { commit?: unknown; files?: unknown };
  if (typeof commit !== 'string' || !isCommit(commit) || !Array.isArray(files)) return undefined;
  const snapshot = snapshotFolder({ repository, commit });
  const stored = files.filter(isStored).map((file) => ({ path: join(snapshot, file.path), sizeBytes: file.sizeBytes }));
  const isThere = ({ path, sizeBytes }: StoredFile) => statSync(path, { throwIfNoEntry: false })?.size === sizeBytes;
  return stored.length === files.length && stored.every(isThere) ? stored : undefined;
}

function isStored(file: unknown): file is StoredFile {
  const { path, sizeBytes } = (file ?? {}) as Partial<StoredFile>;
  return typeof path === 'string' && isRelativePath(path) && typeof sizeBytes === 'number';
}

function storeFolder(): string {
  return join(cacheFolder(), 'datasets');
}

function storePath(reference: string): string {
  return join(storeFolder(), `${encodeURIComponent(reference)}.json`);
}
