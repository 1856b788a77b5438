/**
 * @file The cache that all tools of the hub share (https://huggingface.co/docs/huggingface_hub/guides/manage-cache): contents under
 * their checksums in blobs/, and per commit a folder of links to them in snapshots/. What another tool downloaded is found here,
 * and what is downloaded here is found by transformers.
 */
import { existsSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { makeFolder, writeFileAtomically } from '../atomicWrite.js';
import { hubCacheFolder } from './hubSettings.js';
import { abandonedBytes } from './partialNames.js';
import { isCommit, type HubCommit, type HubFile, type HubRepository } from './repository.js';

/** models--OWNER--NAME */
export function repositoryFolder({ type, name }: Pick<HubRepository, 'type' | 'name'>): string {
  return join(hubCacheFolder(), [`${type}s`, ...name.split('/')].join('--'));
}

export function snapshotFolder({ repository, commit }: HubCommit): string {
  return join(repositoryFolder(repository), 'snapshots', commit);
}

export function blobPath({ repository }: HubCommit, { hash }: HubFile): string {
  return join(repositoryFolder(repository), 'blobs', hash.digest);
}

/** The file in its snapshot, if it is there whole. Its content was checked when it was downloaded. */
export function cachedFile(listing: HubCommit, { path, sizeBytes }: HubFile): string | undefined {
  const place = join(snapshotFolder(listing), path);
  return statSync(place, { throwIfNoEntry: false })?.size === sizeBytes ? place : undefined;
}

/** What is still to be downloaded of a file. */
export function missingBytes(listing: HubCommit, file: HubFile): number {
  const blob = blobPath(listing, file);
  if (cachedFile(listing, file) !== undefined || existsSync(blob)) return 0;
  return Math.max(0, file.sizeBytes - abandonedBytes(blob));
}

/** Shows a blob under its name in the snapshot, and remembers the commit as the revision's. */
export function placeInSnapshot(listing: HubCommit, file: HubFile, link: typeof symlinkSync = symlinkSync): string {
  const blob = blobPath(listing, file);
  const place = join(snapshotFolder(listing), file.path);
  makeFolder(dirname(place));
  rmSync(place, { force: true });
  try {
    link(relative(dirname(place), blob), place);
  } catch (error) {
    // Another process may have been faster. Windows reserves links for developers; there, the snapshot has the file itself.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') renameSync(blob, place);
  }
  rememberRevision(listing);
  return place;
}

/** Comes after the snapshot's first file, because the other tools take a revision without a snapshot for damage. */
function rememberRevision({ repository, commit }: HubCommit): void {
  const { revision } = repository;
  if (isCommit(revision)) return;
  const path = join(repositoryFolder(repository), 'refs', revision);
  if (existsSync(path) && readFileSync(path, 'utf8') === commit) return;
  makeFolder(dirname(path));
  writeFileAtomically(path, commit);
}
