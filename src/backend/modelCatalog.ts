import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { adapterConfigFile, adapterTensorsFile, parsePeftConfig } from '../core/adapters/peft.js';
import { UserError } from '../core/errors.js';
import { storedModels } from '../files/stores/modelStores.js';
import type { StoredModel } from '../files/stores/storedModel.js';
import { linearNames } from '../core/models/linears.js';
import { newestAdaptersFirst } from '../protocol/baseOf.js';
import type { AdapterInfo, FoundModels, InspectedModels, ModelFolder, ModelInfo, RunSummary } from '../protocol/backend.js';
import { olderTensorsFile } from '../files/adapterFolder.js';
import { isWeightFile } from '../files/huggingFaceWeights.js';
import { isMetaShard, paramsFile } from '../files/metaWeights.js';
import { findTokenizer } from '../files/tokenizerFiles.js';
import { ModelHeaders } from './modelHeaders.js';

/** Limits on the depth and the number of folders of a search, because a workspace may contain anything. */
const maxDepth = 4;
const maxFolders = 5000;
const largestJson = 1 << 20;

const headers = new ModelHeaders();

/** Where runs are stored, and what is known about the run in a folder. */
export interface RunsOfCatalog {
  readonly folders: readonly string[];
  get(runId: string): RunSummary | undefined;
}

/**
 * Finds models in the given places and in other programs' stores, and adapters, newest first. In the places, symbolic links are
 * not followed, and what cannot be read is left out.
 */
export async function findModels(places: readonly ModelFolder[], runs: RunsOfCatalog): Promise<FoundModels> {
  const search = new Search(runs);
  for (const place of places) await search.place(place);
  for (const path of runs.folders) await search.place({ path, source: 'workspace' });
  for (const model of storedModels()) await search.addStored(model);
  const models = [...search.models.values()].sort((a, b) => order(a).localeCompare(order(b)));
  return { models, adapters: newestAdaptersFirst([...search.adapters.values()]) };
}

/**
 * By name; first those that the user has downloaded or added here, for the first one is chosen where none was. A workspace may also
 * hold models that nobody would train, such as those of its tests, and other programs' stores hold what is used there.
 */
function order({ name, source }: ModelInfo): string {
  return `${source === 'cache' || source === 'added' ? 0 : source === 'workspace' ? 1 : 2} ${name}`;
}

/** Lists the models in a place that the user wants to import. */
export async function inspectModels(path: string): Promise<InspectedModels> {
  const search = new Search({ folders: [], get: () => undefined });
  await search.place({ path, source: 'added' });
  return { models: [...search.models.keys()], problem: search.problems[0] ?? null };
}

class Search {
  readonly models = new Map<string, ModelInfo>();
  readonly adapters = new Map<string, AdapterInfo>();
  /** Reasons why models that were found cannot be used. */
  readonly problems: string[] = [];
  private foldersSeen = 0;

  constructor(private readonly runs: RunsOfCatalog) {}

  async place({ path, source }: ModelFolder): Promise<void> {
    const status = await stat(path).catch(() => undefined);
    if (status?.isFile()) await this.addGguf(path, status.size, source);
    else if (status?.isDirectory()) await this.folder(path, source, 0);
  }

  async addStored({ path, name, kind, store, sizeBytes }: StoredModel): Promise<void> {
    const header = kind === 'huggingface' ? join(path, 'config.json') : path;
    if (this.models.has(path) || !(await this.isUsable(kind, path, header))) return;
    this.models.set(path, { path, name, kind, source: store, sizeBytes });
  }

  private async folder(path: string, source: ModelFolder['source'], depth: number): Promise<void> {
    if (depth > maxDepth || ++this.foldersSeen > maxFolders) return;
    const entries = await readdir(path, { withFileTypes: true }).catch((): Dirent[] => []);
    const names = new Set(entries.filter((entry) => entry.isFile()).map((entry) => entry.name));
    const tensorsFile = [adapterTensorsFile, olderTensorsFile].find((name) => names.has(name));
    if (names.has(adapterConfigFile) && tensorsFile) return this.addAdapter(path, tensorsFile);
    const model = modelIn(path, [...names]);
    if (model) return this.addFolder(model, source);
    for (const name of names) {
      if (name.endsWith('.gguf')) await this.addGguf(join(path, name), await sizeOf(join(path, name)), source);
    }
    for (const entry of entries) {
      if (entry.isDirectory() && !isSkippedFolder(entry.name)) await this.folder(join(path, entry.name), source, depth + 1);
    }
  }

  private async addGguf(path: string, sizeBytes: number, source: ModelFolder['source']): Promise<void> {
    if (!path.endsWith('.gguf') || this.models.has(path) || !(await this.isUsable('gguf', path, path))) return;
    this.models.set(path, { path, name: basename(path, '.gguf'), kind: 'gguf', source, sizeBytes });
  }

  private async addFolder({ path, kind, header, weights, checked }: FoundFolder, source: ModelFolder['source']): Promise<void> {
    if (this.models.has(path) || !(await this.isUsable(kind, path, header, checked))) return;
    this.models.set(path, { path, name: basename(path), kind, source, sizeBytes: await totalSize(weights) });
  }

  private async isUsable(
    kind: ModelInfo['kind'],
    path: string,
    header: string,
    others: readonly string[] = [],
  ): Promise<boolean> {
    const problem = (await headers.problemOf(header, others)) ?? missingTokenizer(kind, path);
    if (problem !== null) this.problems.push(problem);
    return problem === null;
  }

  private async addAdapter(path: string, tensorsFile: string): Promise<void> {
    const json = await readSmallJson(join(path, adapterConfigFile));
    if (!json || this.adapters.has(path)) return;
    try {
      const { r, alpha, baseModel } = parsePeftConfig(json, path);
      const run = this.runs.get(dirname(path));
      this.adapters.set(path, {
        path,
        name: nameOf(path, run),
        baseModel: baseModel ?? '',
        rank: r,
        alpha,
        targetModules: linearNames.filter((name) => JSON.stringify(json['target_modules'] ?? '').includes(name)),
        run: run ? { dataPath: run.dataPath, heldOutLoss: run.state.bestEvalLoss } : null,
        ...(await sizeAndTime(join(path, tensorsFile))),
      });
    } catch {
      // Only adapters that this program can use are listed.
    }
  }
}

/** Nothing can be done here with a folder that has no tokenizer, such as those in a library's tests. Null if it has one. */
function missingTokenizer(kind: ModelInfo['kind'], path: string): string | null {
  if (kind === 'gguf') return null;
  try {
    findTokenizer(kind, path);
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** A folder that is a model. */
interface FoundFolder {
  readonly path: string;
  readonly kind: ModelInfo['kind'];
  /** The file that describes it. */
  readonly header: string;
  readonly weights: readonly string[];
  /** The files that are read, besides the header, to see whether it can be used. */
  readonly checked: readonly string[];
}

function modelIn(path: string, names: readonly string[]): FoundFolder | null {
  const filesOf = (belongs: (name: string) => boolean) => names.filter(belongs).map((name) => join(path, name));
  const [safetensors, weights, shards] = [isSafetensors, isWeightFile, isMetaShard].map(filesOf) as [
    string[],
    string[],
    string[],
  ];
  if (names.includes('config.json') && weights.length > 0) {
    const used = safetensors.length > 0 ? safetensors : weights;
    return { path, kind: 'huggingface', header: join(path, 'config.json'), weights: used, checked: [] };
  }
  if (!names.includes(paramsFile) || shards.length === 0) return null;
  return { path, kind: 'meta', header: join(path, paramsFile), weights: shards, checked: shards };
}

function isSafetensors(name: string): boolean {
  return name.endsWith('.safetensors');
}

/** adapter/ and adapter-best/ are named after their run, and after the sweep that it belongs to. */
function nameOf(path: string, run: RunSummary | undefined): string {
  if (!run) return basename(path);
  const name = run.sweepId === null ? run.name : `${basename(run.sweepId)} · ${run.name}`;
  return basename(path) === 'adapter' ? name : `${name} (${basename(path).replace('adapter-', '')})`;
}

/** Folders where nobody keeps models on purpose. */
function isSkippedFolder(name: string): boolean {
  return name.startsWith('.') || name === 'node_modules' || name === '__pycache__' || name === 'checkpoints';
}

async function readSmallJson(path: string): Promise<Record<string, unknown> | undefined> {
  try {
    if ((await sizeOf(path)) > largestJson) return undefined;
    const json: unknown = JSON.parse(await readFile(path, 'utf8'));
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

async function sizeAndTime(path: string): Promise<{ sizeBytes: number; modifiedAt: number }> {
  const { size, mtimeMs } = await stat(path);
  return { sizeBytes: size, modifiedAt: mtimeMs };
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

async function totalSize(paths: readonly string[]): Promise<number> {
  const sizes = await Promise.all(paths.map(sizeOf));
  return sizes.reduce((sum, size) => sum + size, 0);
}
