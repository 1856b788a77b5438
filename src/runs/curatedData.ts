import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Dataset } from '../core/data/dataset.js';
import { detectFormat } from '../core/data/detectFormat.js';
import { pathInside, repositoryName } from '../core/data/readSequences.js';
import type { DataFiles, DataPlace } from '../core/data/source.js';
import { diskFiles } from '../files/dataFiles.js';
import { curateFolder, withoutCopies, type CuratedFolder, type CurationPorts } from '../files/source/curate.js';
import type { DataConfig } from '../protocol/runConfig.js';
import type { ManifestFile, WorkspaceManifest } from '../protocol/workspaceManifest.js';

/** The data of a run as read from disk; folders of source code hold only the files worth learning from. */
export interface CuratedData {
  readonly files: DataFiles;
  /** Null if the training data is no folder of source code. */
  readonly folder: CuratedFolder | null;
}

export async function curatedData(data: DataConfig, seed: number, ports: CurationPorts = {}): Promise<CuratedData> {
  const config = { ...data, seed, eval_fraction: data.eval_path === null ? data.eval_fraction : 0 };
  const place = diskFiles.open(data.path);
  const folder = isSourceFolder(place, data) ? await curateFolder(place, config, ports) : null;
  const curated = new Map(folder ? [[data.path, folder.place]] : []);
  if (folder && data.eval_path !== null) {
    const other = diskFiles.open(data.eval_path);
    if (isSourceFolder(other, { format: 'code' })) {
      const heldOut = withoutCopies(await curateFolder(other, { ...config, eval_fraction: 0 }, ports), folder);
      curated.set(data.eval_path, heldOut.place);
    }
  }
  return { files: { open: (path) => curated.get(path) ?? diskFiles.open(path) }, folder };
}

function isSourceFolder(
  place: DataPlace,
  { format }: Pick<DataConfig, 'format'>,
): place is Extract<DataPlace, { kind: 'folder' }> {
  return place.kind === 'folder' && (format === 'code' || (format === 'auto' && detectFormat(place) === 'code'));
}

/** What a run with this data set learns from and what it never sees. */
export function manifestOf(
  { place, commit }: CuratedFolder,
  { training, evaluation, report, leftOut: leftOutFiles }: Dataset,
  seed: number,
): WorkspaceManifest {
  const [trained, heldOut] = [tokensByFile(training), tokensByFile(evaluation)];
  const files = place.files.flatMap(({ path }): ManifestFile[] => {
    const tokens = (trained.get(path) ?? 0) + (heldOut.get(path) ?? 0);
    if (tokens === 0) return [];
    const bytes = readFileSync(path);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const part = trained.has(path) ? 'train' : 'heldout';
    return [{ path: pathInside(place.path, path), sha256, bytes: bytes.length, tokens, part }];
  });
  const leftOut = leftOutFiles.map(({ path, kind, line, detail }) => ({
    path: pathInside(place.path, path),
    reason: kind,
    detail: [detail, line].filter((part) => part !== undefined).join(':') || null,
  }));
  return {
    root: place.path,
    repository: repositoryName(place.path),
    commit,
    seed,
    heldOutBy: report.heldOutBy,
    files,
    leftOut,
  };
}

/** A source file is one record, and so the origin of its examples. */
function tokensByFile(examples: Dataset['training']): ReadonlyMap<string, number> {
  const tokens = new Map<string, number>();
  for (const { origin, inputIds } of examples) tokens.set(origin, (tokens.get(origin) ?? 0) + inputIds.length);
  return tokens;
}
