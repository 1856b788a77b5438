import { join } from 'node:path';
import { configFromHuggingFace } from '../../core/models/registry.js';
import { readJsonFile } from '../jsonFile.js';
import { downloadFiles, missingOfAll, requireSpace, sizeOfAll } from './downloadFiles.js';
import { snapshotFolder } from './hubCache.js';
import type { HubClient } from './hubClient.js';
import { filesOfModel, isGguf, type ModelSelection } from './modelFiles.js';
import { parseRepository, type HubFile, type HubListing, type HubRepository } from './repository.js';

/** What downloading a model means, before it begins. */
export interface ModelPlan {
  readonly listing: HubListing;
  readonly files: readonly HubFile[];
  readonly totalBytes: number;
  /** What is not in the cache yet. */
  readonly missingBytes: number;
}

/** What is asked for: OWNER/NAME, OWNER/NAME:QUANTIZATION as llama.cpp and Ollama write it, or the address of a page. */
export function parseModel(text: string): { repository: HubRepository; selection: ModelSelection } {
  const [, name = text, quantization] = /^([^:]+):(\w+)$/.exec(text.trim()) ?? [];
  return { repository: parseRepository(name, 'model'), selection: { quantization } };
}

/**
 * Looks at a model before anything large is downloaded. Throws UserError if the user has no access to it, if its architecture is
 * none that can be trained, or if the disk is too full.
 */
export async function planModel(
  client: HubClient,
  repository: HubRepository,
  selection: ModelSelection,
  signal: AbortSignal,
): Promise<ModelPlan> {
  const listing = await client.list(repository, signal);
  const files = filesOfModel(listing, selection);
  if (listing.isGated && missingOfAll(listing, files) > 0) await client.requireAccess(listing, files[0]!, signal);
  const config = files.find(({ path }) => path === 'config.json');
  if (config) {
    const path = await client.download(listing, config, () => undefined, signal);
    configFromHuggingFace(readJsonFile(path), path);
  }
  const plan = { listing, files, totalBytes: sizeOfAll(files), missingBytes: missingOfAll(listing, files) };
  requireSpace(repository.name, plan.missingBytes);
  return plan;
}

/** Returns the model's path: a folder of the shared cache, or a GGUF file in it. `onProgress` counts all files together. */
export async function downloadModel(
  client: HubClient,
  { listing, files }: Pick<ModelPlan, 'listing' | 'files'>,
  onProgress: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  await downloadFiles(client, listing, files, onProgress, signal);
  const gguf = files.find(({ path }) => isGguf(path));
  const folder = snapshotFolder(listing);
  return gguf ? join(folder, gguf.path) : folder;
}
