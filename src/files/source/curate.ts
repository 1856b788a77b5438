import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import CRC32 from 'crc-32';
import ignore from 'ignore';
import { chooseHeldOut } from '../../core/data/dataset.js';
import { chooseFiles } from '../../core/data/detectFormat.js';
import type { LeftOut } from '../../core/data/fileRules.js';
import { languageOf } from '../../core/data/languages.js';
import { pathInside } from '../../core/data/readSequences.js';
import { copiedShares, largestCopiedShare, NearDuplicates, nearDuplicateWords, wordRuns } from '../../core/data/similarity.js';
import type { DataFile, DataPlace, HeldOutBy, HeldOutFiles } from '../../core/data/source.js';
import { normalized } from '../../core/data/sourceRules.js';
import { checkSource, textOf } from './checkSource.js';
import { gitHistory, type GitHistory } from './gitHistory.js';

/** The settings under `data` in run.json that say which files of a folder of source code are learned from, and the seed. */
export interface CurationConfig {
  /** Patterns as in .gitignore; null means all files. */
  readonly include: readonly string[] | null;
  readonly exclude: readonly string[];
  /** VS Code's identifiers; null means all. */
  readonly languages: readonly string[] | null;
  readonly dedup: 'near' | 'exact' | 'off';
  readonly scan_secrets: boolean;
  readonly eval_split: 'newest' | 'random';
  readonly eval_fraction: number;
  /** If there is a limit, the files come newest first, so that it can be kept by reading no further. */
  readonly max_tokens: number | null;
  readonly seed: number;
}

export interface CurationPorts {
  /** Called now and then with the share of the files that has been read. */
  readonly onProgress?: ((share: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Folder = Extract<DataPlace, { kind: 'folder' }>;

/** A folder with only those files that are worth learning from. Their text is what was checked, even if they change meanwhile. */
export interface CuratedFolder {
  readonly place: Folder;
  /** The commit that is checked out; null if the history is unknown. */
  readonly commit: string | null;
}

interface ReadFile {
  readonly file: DataFile;
  readonly text: string;
}

/**
 * Looks into the source files of a folder and leaves out what a model should not learn: credentials, what programs have written,
 * and what is there twice. Chooses which of the rest are held out, and makes sure that none of these is a copy of one that is not.
 */
export async function curateFolder(folder: Folder, config: CurationConfig, ports: CurationPorts = {}): Promise<CuratedFolder> {
  const { files, leftOut } = chosenFiles(folder, config);
  const read = await readFiles(files, config, leftOut, ports);
  const distinct = withoutDuplicates(read.texts, config.dedup, folder.path, leftOut);
  const history = gitHistory(folder.path);
  const paths = distinct.map(({ file }) => file.path);
  const newest = newestFirst(paths, folder.path, config.seed, history);
  const heldOut = chooseFilesToHoldOut(paths, newest, config, history ? 'git' : 'modified');
  const copied = copiesAmong(distinct, heldOut, folder.path);
  leftOut.push(...copied);
  const copiedPaths = new Set(copied.map(({ path }) => path));
  const kept = new Map(distinct.filter(({ file }) => !copiedPaths.has(file.path)).map((each) => [each.file.path, each]));
  return {
    place: {
      ...folder,
      files: [
        // A file that could not be read stays, so that it is reported as any other.
        ...files.filter(({ path }) => read.unread.has(path)),
        ...(config.max_tokens === null ? paths : newest).flatMap((path) => withText(kept.get(path))),
      ],
      leftOut,
      ...(heldOut && { heldOut: { ...heldOut, paths: new Set([...heldOut.paths].filter((path) => kept.has(path))) } }),
    },
    commit: history?.commit ?? null,
  };
}

/** Leaves out the files of held-out data that repeat one of the training files. */
export function withoutCopies(heldOut: CuratedFolder, training: CuratedFolder): CuratedFolder {
  const all = [...textsOf(heldOut.place), ...textsOf(training.place)];
  const paths = new Set(heldOut.place.files.map(({ path }) => path));
  const copied = copiesAmong(all, { by: 'seed', paths }, training.place.path);
  const copiedPaths = new Set(copied.map(({ path }) => path));
  const files = heldOut.place.files.filter(({ path }) => !copiedPaths.has(path));
  return { ...heldOut, place: { ...heldOut.place, files, leftOut: [...heldOut.place.leftOut, ...copied] } };
}

/** By their names alone. */
function chosenFiles(folder: Folder, config: CurationConfig): { files: readonly DataFile[]; leftOut: LeftOut[] } {
  const bySource = chooseFiles(folder, 'code');
  const included = config.include && ignore().add([...config.include]);
  const excluded = ignore().add([...config.exclude]);
  const isWanted = ({ path }: DataFile): boolean => {
    const inside = pathInside(folder.path, path);
    const isOfLanguage = config.languages === null || config.languages.includes(languageOf(path));
    return isOfLanguage && (included === null || included.ignores(inside)) && !excluded.ignores(inside);
  };
  const unwanted = bySource.files.filter((file) => !isWanted(file));
  return {
    files: bySource.files.filter(isWanted),
    leftOut: [...bySource.leftOut, ...unwanted.map(({ path }) => ({ path, kind: 'notIncluded' as const }))],
  };
}

const filesPerTurn = 50;

/** Adds to `leftOut` what the files' content rules out. */
async function readFiles(
  files: readonly DataFile[],
  { scan_secrets }: CurationConfig,
  leftOut: LeftOut[],
  { onProgress, signal }: CurationPorts,
): Promise<{ texts: ReadFile[]; unread: ReadonlySet<string> }> {
  const texts: ReadFile[] = [];
  const unread = new Set<string>();
  for (const [index, file] of files.entries()) {
    if (index % filesPerTurn === 0) {
      onProgress?.(index / files.length);
      await nextTurn();
      signal?.throwIfAborted();
    }
    const checked = await checkSource(file, scan_secrets);
    if (checked === 'unread') unread.add(file.path);
    else if ('leftOut' in checked) leftOut.push(checked.leftOut);
    else texts.push({ file, text: checked.text });
  }
  return { texts, unread };
}

/** Keeps the first of several equal or almost equal files. */
function withoutDuplicates(
  files: readonly ReadFile[],
  dedup: CurationConfig['dedup'],
  folder: string,
  leftOut: LeftOut[],
): ReadFile[] {
  if (dedup === 'off') return [...files];
  const firstWithHash = new Map<string, string>();
  const near = new NearDuplicates<string>();
  return files.filter(({ file: { path }, text }) => {
    const hash = createHash('sha256').update(normalized(text)).digest('hex');
    const first = firstWithHash.get(hash);
    if (first !== undefined) leftOut.push({ path, kind: 'duplicate', detail: pathInside(folder, first) });
    else firstWithHash.set(hash, path);
    if (first !== undefined || dedup === 'exact') return first === undefined;
    const runs = wordRuns(text, nearDuplicateWords);
    const similar = near.find(runs);
    if (similar) leftOut.push({ path, kind: 'nearDuplicate', detail: likeness(similar.similarity, similar.name, folder) });
    else near.add(path, runs);
    return !similar;
  });
}

function likeness(share: number, path: string, folder: string): string {
  return `${Math.round(100 * share)} % ${pathInside(folder, path)}`;
}

/** Enough for several hundred places to complete at; every evaluation during training reads them all. */
const mostNewest = 40;

function chooseFilesToHoldOut(
  paths: readonly string[],
  newest: readonly string[],
  { eval_split, eval_fraction, seed }: CurationConfig,
  by: HeldOutBy,
): HeldOutFiles | undefined {
  const indices = chooseHeldOut(paths.length, eval_fraction, seed);
  if (indices.size === 0) return undefined;
  if (eval_split === 'random') return { by: 'seed', paths: new Set(paths.filter((_, index) => indices.has(index))) };
  return { by, paths: new Set(newest.slice(0, Math.min(indices.size, mostNewest))) };
}

/** By when they were added or, without a history, last changed. Of equal age, the seed decides, so that no folder is preferred. */
function newestFirst(paths: readonly string[], folder: string, seed: number, history: GitHistory | null): string[] {
  const age = history
    ? (path: string) => history.added.get(pathInside(folder, path)) ?? Infinity // not committed yet: the newest of all
    : (path: string) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const dated = paths.map((path) => ({ path, age: age(path), tie: CRC32.str(`${seed} ${pathInside(folder, path)}`) >>> 0 }));
  return dated.sort((a, b) => (a.age === b.age ? a.tie - b.tie : b.age - a.age)).map(({ path }) => path);
}

/** The held-out files that are near duplicates of training files, or mostly copied from them. */
function copiesAmong(files: readonly ReadFile[], heldOut: HeldOutFiles | undefined, folder: string): LeftOut[] {
  if (!heldOut) return [];
  const training = files.filter(({ file }) => !heldOut.paths.has(file.path));
  const tested = files.filter(({ file }) => heldOut.paths.has(file.path));
  const near = new NearDuplicates<string>();
  for (const { file, text } of training) near.add(file.path, wordRuns(text, nearDuplicateWords));
  const shares = copiedShares(textsIn(tested), textsIn(training));
  return tested.flatMap(({ file: { path }, text }, index) => {
    const similar = near.find(wordRuns(text, nearDuplicateWords));
    const { share, source } = shares[index]!;
    if (similar) return [{ path, kind: 'copied' as const, detail: likeness(similar.similarity, similar.name, folder) }];
    if (share <= largestCopiedShare) return [];
    return [{ path, kind: 'copied' as const, detail: likeness(share, training[source]!.file.path, folder) }];
  });
}

function textsIn(files: readonly ReadFile[]): string[] {
  return files.map(({ text }) => text);
}

function textsOf({ files }: Folder): ReadFile[] {
  return files.flatMap((file) => {
    const text = textOf(file);
    return text === undefined ? [] : [{ file, text }];
  });
}

function withText(read: ReadFile | undefined): DataFile[] {
  return read ? [{ ...read.file, text: () => read.text }] : [];
}
