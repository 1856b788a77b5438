/** @file Which files an adapter has never seen, and which it was trained on. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { IndexedFile } from '../complete/retrieval/chunkIndex.js';
import { chooseFiles } from '../core/data/detectFormat.js';
import { sourceText } from '../core/data/formats/code.js';
import { Unusable, type DataFile } from '../core/data/source.js';
import { UserError } from '../core/errors.js';
import { diskFiles } from '../files/dataFiles.js';
import { loadModelForData } from '../files/loadModel.js';
import { t } from '../l10n/text.js';
import { readDataset } from '../runs/runData.js';
import { workspaceManifestFile } from '../protocol/workspaceManifest.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import { readWorkspaceManifest } from '../runs/workspaceManifest.js';
import type { SourceFile } from './positions.js';

export interface EvaluationSources {
  readonly heldOut: readonly SourceFile[];
  /** Read one at a time; those that are gone are left out. */
  readonly training: () => Iterable<IndexedFile>;
  /** Those, and what was left out only because it is older: what the editor could retrieve from. */
  readonly retrievable: () => Iterable<IndexedFile>;
}

interface Parts {
  readonly root: string;
  readonly repository: string;
  /** Absolute paths. */
  readonly heldOut: readonly string[];
  readonly trained: readonly string[];
  readonly older: readonly string[];
  readonly trainedRoot: string;
}

/**
 * The files that a run has held out, or those of `folder` if one is given. Throws UserError if the run has not learned from source
 * code, or has held nothing out.
 */
export async function evaluationSources(run: RunDirectory, folder: string | null): Promise<EvaluationSources> {
  const parts = await partsOf(run);
  const heldOut = folder === null ? read(parts.heldOut, parts.root, parts.repository) : sourcesIn(folder);
  if (heldOut.length === 0) {
    const message =
      folder === null
        ? t`${run.path} has no held-out source files to complete in: train with data.eval_fraction or data.eval_path, or name a folder with --files.`
        : t`${folder} has no source files to complete in. Name a folder of source code.`;
    throw new UserError('data-invalid', message);
  }
  const { trained, older, trainedRoot } = parts;
  return {
    heldOut,
    training: () => texts(trained, trainedRoot),
    retrievable: () => texts([...trained, ...older], trainedRoot),
  };
}

/** Whether there is source code to complete, apart from what was held out. */
export function learnsFromCode(run: RunDirectory): boolean {
  return run.readConfig().data.format === 'code' || existsSync(join(run.path, workspaceManifestFile));
}

async function partsOf(run: RunDirectory): Promise<Parts> {
  const manifest = readWorkspaceManifest(run.path);
  if (!manifest) return partsOfData(run);
  const { root, repository, files, leftOut } = manifest;
  const paths = (part: 'train' | 'heldout') => files.filter((file) => file.part === part).map(({ path }) => join(root, path));
  const [heldOut, trained] = [paths('heldout'), paths('train')];
  const older = leftOut.filter(({ reason }) => reason === 'older').map(({ path }) => join(root, path));
  const { eval_path: elsewhere } = run.readConfig().data;
  if (heldOut.length > 0 || elsewhere === null) return { root, repository, heldOut, trained, older, trainedRoot: root };
  return { root: elsewhere, repository: basename(elsewhere), heldOut: sourcePaths(elsewhere), trained, older, trainedRoot: root };
}

/** Reads the data as for training, because the seed decides which files are held out. Other data than code holds out no files. */
async function partsOfData(run: RunDirectory): Promise<Parts> {
  const config = run.readConfig();
  const { path, eval_path: evalPath, format } = config.data;
  if (format !== 'code')
    return { root: path, repository: basename(path), heldOut: [], trained: [path], older: [], trainedRoot: path };
  const model = loadModelForData(config.model);
  try {
    const { training, evaluation } = (await readDataset(model, config)).dataset;
    const root = evalPath ?? path;
    const files = (examples: typeof training) => [...new Set(examples.map(({ origin }) => origin))];
    const [heldOut, trained] = [files(evaluation), files(training)];
    return { root, repository: basename(root), heldOut, trained, older: [], trainedRoot: path };
  } finally {
    model.weights.close();
  }
}

function sourcesIn(folder: string): readonly SourceFile[] {
  return read(sourcePaths(folder), folder, basename(folder));
}

function sourcePaths(folder: string): readonly string[] {
  return chooseFiles(diskFiles.open(folder), 'code').files.map(({ path }) => path);
}

function read(paths: readonly string[], root: string, repository: string): readonly SourceFile[] {
  return paths.flatMap((path) => {
    const place = opened(path);
    return place ? (sourceOf(place, root, repository) ?? []) : [];
  });
}

function sourceOf(file: DataFile, root: string, repository: string): SourceFile | undefined {
  const text = textOf(file);
  return text === undefined ? undefined : { path: file.path, file: shown(root, file.path), repository, text };
}

function shown(root: string, path: string): string {
  return (path === root ? basename(path) : relative(root, path)).split(sep).join('/');
}

function* texts(paths: readonly string[], root: string): Generator<IndexedFile> {
  for (const path of paths) {
    const file = opened(path);
    if (file) yield { path, file: shown(root, path), text: usable(() => file.text()) ?? '' };
  }
}

/** Undefined if the file has been removed since. */
function opened(path: string): DataFile | undefined {
  if (!existsSync(path)) return undefined;
  const place = diskFiles.open(path);
  return place.kind === 'file' ? place.file : undefined;
}

/** Undefined for what is not hand-written code. */
function textOf(file: DataFile): string | undefined {
  return usable(() => sourceText(file).replaceAll('\r\n', '\n'));
}

function usable(read: () => string): string | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Unusable) return undefined;
    throw error;
  }
}

/** Changes whenever one of the files does. */
export function fingerprintOf(files: Iterable<IndexedFile>): string {
  const hash = createHash('sha256');
  for (const { path, text } of files) hash.update(JSON.stringify([path, text]));
  return hash.digest('hex');
}
