/**
 * @file Models that Ollama downloaded: manifests/REGISTRY/NAMESPACE/NAME/TAG is JSON that lists layers by their checksums, and one
 * of them, blobs/sha256-…, is a GGUF (https://github.com/ollama/ollama/blob/main/docs/faq.md#where-are-models-stored). The
 * manifest stands for the model: its path says the name, and stays when a newer version is pulled.
 */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { readJsonFile } from '../jsonFile.js';
import { namesIn } from './folderNames.js';
import type { StoredModel } from './storedModel.js';

const registry = 'registry.ollama.ai';
const modelLayer = 'application/vnd.ollama.image.model';

export function ollamaModels(): StoredModel[] {
  const root = manifestsFolder();
  return namesIn(root).flatMap((host) =>
    namesIn(join(root, host)).flatMap((namespace) =>
      namesIn(join(root, host, namespace)).flatMap((name) =>
        namesIn(join(root, host, namespace, name)).flatMap((tag) => modelAt(join(root, host, namespace, name, tag))),
      ),
    ),
  );
}

/** The manifest of NAME:TAG, NAME (latest) or NAMESPACE/NAME:TAG. */
export function ollamaModelPath(given: string): string | undefined {
  const [, namespace = 'library', name, tag = 'latest'] = /^(?:([\w.-]+)\/)?([\w.-]+)(?::([\w.-]+))?$/.exec(given) ?? [];
  if (name === undefined || [namespace, name, tag].some((part) => /^\.+$/.test(part))) return undefined;
  const manifest = join(manifestsFolder(), registry, namespace, name, tag);
  return ggufOfManifest(manifest) === undefined ? undefined : manifest;
}

/** The GGUF that a manifest names; undefined for any other file. */
export function ggufOfManifest(path: string): string | undefined {
  const folder = storeOfManifest(path);
  if (folder === undefined || !isSmallFile(path)) return undefined;
  const digest = layersOf(path).find(({ mediaType }) => mediaType === modelLayer)?.digest;
  if (typeof digest !== 'string' || !/^sha256:[0-9a-f]{64}$/.test(digest)) return undefined;
  const blob = join(folder, 'blobs', digest.replace(':', '-'));
  return existsSync(blob) ? blob : undefined;
}

function modelAt(manifest: string): StoredModel[] {
  const gguf = ggufOfManifest(manifest);
  if (gguf === undefined) return [];
  const [namespace, name, tag] = manifest.split(sep).slice(-3) as [string, string, string];
  const shown = `${namespace === 'library' ? '' : `${namespace}/`}${name}:${tag}`;
  return [{ path: manifest, name: shown, kind: 'gguf', store: 'ollama', sizeBytes: statSync(gguf).size }];
}

interface Layer {
  readonly mediaType?: unknown;
  readonly digest?: unknown;
}

function layersOf(manifest: string): readonly Layer[] {
  try {
    const { layers } = readJsonFile(manifest) as { layers?: unknown };
    return Array.isArray(layers)
      ? (layers as unknown[]).filter((layer): layer is Layer => typeof layer === 'object' && !!layer)
      : [];
  } catch {
    return []; // another file, or one that is not readable
  }
}

const largestManifest = 1 << 20;

function isSmallFile(path: string): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  return status !== undefined && status.isFile() && status.size <= largestManifest;
}

/** The store that a path belongs to, if it is where manifests are: STORE/manifests/REGISTRY/NAMESPACE/NAME/TAG. */
function storeOfManifest(path: string): string | undefined {
  const manifests = dirname(dirname(dirname(dirname(path))));
  return manifests.endsWith(`${sep}manifests`) ? dirname(manifests) : undefined;
}

function manifestsFolder(): string {
  return join(process.env['OLLAMA_MODELS'] || join(homedir(), '.ollama', 'models'), 'manifests');
}
