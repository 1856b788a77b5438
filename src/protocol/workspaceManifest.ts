import { count, list, nullable, object, oneOf, string, type Guard } from './guard.js';

/** The name of this file in a run directory; only runs that learn from a folder of source code have one. */
export const workspaceManifestFile = 'workspace.json';

/** Which files of a folder of source code a run was trained on and which were held out, for evaluations that come later. */
export interface WorkspaceManifest {
  /** Absolute path of the folder. */
  readonly root: string;
  /** The repository's name, as the model was told it. */
  readonly repository: string;
  /** The commit that was checked out; null without git. The files may have been changed since: `sha256` is what counts. */
  readonly commit: string | null;
  readonly seed: number;
  /** What decided which files are held out; null if none are, or all of the held-out data is elsewhere. */
  readonly heldOutBy: HeldOutBy | null;
  /** In the order in which they were read. */
  readonly files: readonly ManifestFile[];
  readonly leftOut: readonly ManifestLeftOut[];
}

/** `git`: added last in the history; `modified`: changed last on disk, since there is no history; `seed`: drawn by the seed. */
export const heldOutBys = ['git', 'modified', 'seed'] as const;
export type HeldOutBy = (typeof heldOutBys)[number];

export interface ManifestFile {
  /** Relative to the root, with forward slashes. */
  readonly path: string;
  /** Of the file's bytes, in hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
  /** Tokens of all examples made from it. */
  readonly tokens: number;
  readonly part: 'train' | 'heldout';
}

export interface ManifestLeftOut {
  /** Relative to the root, with forward slashes. A folder that was not entered stands for all files in it. */
  readonly path: string;
  readonly reason: string;
  /** The rule and line, or the file that it repeats; null if the reason says it all. */
  readonly detail: string | null;
}

const file = object<ManifestFile>({
  path: string,
  sha256: string,
  bytes: count,
  tokens: count,
  part: oneOf('train', 'heldout'),
});

export const workspaceManifest: Guard<WorkspaceManifest> = object({
  root: string,
  repository: string,
  commit: nullable(string),
  seed: count,
  heldOutBy: nullable(oneOf(...heldOutBys)),
  files: list(file),
  leftOut: list(object<ManifestLeftOut>({ path: string, reason: string, detail: nullable(string) })),
});
