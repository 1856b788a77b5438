/**
 * @file Models in the cache of the hub, whichever tool downloaded them. Links matter only to ONNX Runtime, which never reads
 * these files: our readers open them, and follow the links.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { repositoryFolder } from '../hub/hubCache.js';
import { hubCacheFolder } from '../hub/hubSettings.js';
import { isGguf } from '../hub/modelFiles.js';
import { isCommit, isRelativePath, isRepositoryName } from '../hub/repository.js';
import { weightFiles } from '../huggingFaceWeights.js';
import { filesBelow, namesIn } from './folderNames.js';
import type { StoredModel } from './storedModel.js';

/** Every model that is there whole; another commit than the usual one says so in its name. */
export function hubModels(): StoredModel[] {
  return namesIn(hubCacheFolder()).flatMap((folder) => {
    const [type, owner, name, ...more] = folder.split('--');
    if (type !== 'models' || !owner || !name || more.length > 0) return [];
    const usual = snapshotOf(join(hubCacheFolder(), folder), 'main');
    return snapshotsOf(join(hubCacheFolder(), folder)).flatMap((snapshot) =>
      modelsIn(snapshot, snapshot === usual ? name : `${name}@${basename(snapshot).slice(0, 7)}`),
    );
  });
}

/** The path of OWNER/NAME, OWNER/NAME@REVISION, or OWNER/NAME/FILE.gguf. */
export function hubModelPath(given: string): string | undefined {
  const [name, revision = 'main'] = given.split('@') as [string, string?];
  const parts = name.split('/');
  const repository = parts.slice(0, 2).join('/');
  if (!isRepositoryName(repository, 'model') || !isRelativePath(name) || !isRelativePath(revision)) return undefined;
  const snapshot = snapshotOf(repositoryFolder({ type: 'model', name: repository }), revision);
  if (snapshot === undefined) return undefined;
  if (parts.length > 2) return existing(join(snapshot, ...parts.slice(2)));
  const models = modelsIn(snapshot, name);
  return models.length === 1 ? models[0]!.path : snapshot;
}

/** The snapshot of a revision; for the usual one that nobody has looked up yet, the newest. */
function snapshotOf(repository: string, revision: string): string | undefined {
  const commit = isCommit(revision) ? revision : commitOf(join(repository, 'refs', revision));
  if (commit !== undefined) return existing(join(repository, 'snapshots', commit));
  return revision === 'main' ? snapshotsOf(repository)[0] : undefined;
}

/** The newest first. */
function snapshotsOf(repository: string): string[] {
  const time = (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const commits = namesIn(join(repository, 'snapshots')).filter(isCommit);
  return commits.map((commit) => join(repository, 'snapshots', commit)).sort((a, b) => time(b) - time(a));
}

function commitOf(ref: string): string | undefined {
  try {
    const commit = readFileSync(ref, 'utf8').trim();
    return isCommit(commit) ? commit : undefined;
  } catch {
    return undefined;
  }
}

function modelsIn(snapshot: string, name: string): StoredModel[] {
  const names = filesBelow(snapshot);
  const ggufs = names.filter(isGguf);
  const store = 'hub' as const;
  const weights = names.includes('config.json') ? wholeWeights(snapshot) : [];
  if (weights.length > 0) return [{ path: snapshot, name, kind: 'huggingface', store, sizeBytes: sum(weights) }];
  return ggufs.map((file) => {
    const path = join(snapshot, file);
    return {
      path,
      name: ggufs.length === 1 ? name : basename(file).replace(/\.gguf$/i, ''),
      kind: 'gguf',
      store,
      sizeBytes: sum([path]),
    };
  });
}

/** The files with the weights, or none if one is missing: another tool may still be downloading. */
function wholeWeights(snapshot: string): string[] {
  try {
    const files = weightFiles(snapshot);
    return files.every((file) => existsSync(file)) ? files : [];
  } catch {
    return [];
  }
}

function sum(files: readonly string[]): number {
  return files.reduce((all, file) => all + (statSync(file, { throwIfNoEntry: false })?.size ?? 0), 0);
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined;
}
