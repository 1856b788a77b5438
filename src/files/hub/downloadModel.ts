import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { configFromHuggingFace } from '../../core/models/registry.js';
import { bytesInWords } from '../../l10n/bytesInWords.js';
import { t } from '../../l10n/text.js';
import { freeDiskBytes } from '../freeDisk.js';
import { readJsonFile } from '../jsonFile.js';
import { missingBytes, snapshotFolder } from './hubCache.js';
import type { HubClient } from './hubClient.js';
import { hubCacheFolder } from './hubSettings.js';
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
  if (listing.isGated && missing(listing, files) > 0) await client.requireAccess(listing, files[0]!, signal);
  const config = files.find(({ path }) => path === 'config.json');
  if (config) {
    const path = await client.download(listing, config, () => undefined, signal);
    configFromHuggingFace(readJsonFile(path), path);
  }
  const plan = { listing, files, totalBytes: total(files), missingBytes: missing(listing, files) };
  requireSpace(plan);
  return plan;
}

/** Returns the model's path: a folder of the shared cache, or a GGUF file in it. `onProgress` counts all files together. */
export async function downloadModel(
  client: HubClient,
  { listing, files, totalBytes }: Pick<ModelPlan, 'listing' | 'files' | 'totalBytes'>,
  onProgress: (doneBytes: number, totalBytes: number) => void,
  signal: AbortSignal,
): Promise<string> {
  let before = 0;
  for (const file of files) {
    await client.download(listing, file, (done) => onProgress(before + done, totalBytes), signal);
    onProgress((before += file.sizeBytes), totalBytes);
  }
  const gguf = files.find(({ path }) => isGguf(path));
  const folder = snapshotFolder(listing);
  return gguf ? join(folder, gguf.path) : folder;
}

function requireSpace({ listing, missingBytes: needed }: ModelPlan): void {
  const folder = hubCacheFolder();
  const free = freeDiskBytes(folder);
  if (needed <= free) return;
  const { name } = listing.repository;
  const message = t`${name} needs ${bytesInWords(needed)}, and the disk of ${folder} has ${bytesInWords(free)} left. Free some space, or set HF_HOME to a folder on another disk.`;
  throw new UserError('file-write-failed', message);
}

function total(files: readonly HubFile[]): number {
  return files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

function missing(listing: HubListing, files: readonly HubFile[]): number {
  return files.reduce((sum, file) => sum + missingBytes(listing, file), 0);
}
