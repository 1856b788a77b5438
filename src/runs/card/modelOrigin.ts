import { join, resolve } from 'node:path';
import { parseGguf } from '../../core/formats/gguf.js';
import { UserError } from '../../core/errors.js';
import { modelPath } from '../../files/cacheFolder.js';
import { openFile, readSmallFile } from '../../files/fileSource.js';
import { exists } from '../../files/reading.js';
import { hubModelPath } from '../../files/stores/hubStore.js';

/** The name OWNER/NAME on the hub, if the path shows it: given as such, or in the hub's own cache. */
export function hubName(pathOrName: string): string | null {
  const inCache = /(?:^|[\\/])(?:models|datasets)--([\w.-]+?)--([\w.-]+?)(?:[\\/]|$)/.exec(pathOrName);
  if (inCache) return `${inCache[1]}/${inCache[2]}`;
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(pathOrName) && !exists(pathOrName) ? pathOrName : null;
}

/** OWNER/NAME for a model in the hub's cache that has this name there; others can load it by that. Any other path as it is. */
export function publishedName(path: string): string {
  const name = hubName(path);
  return name !== null && hubModelPath(name) === resolve(path) ? name : path;
}

/** A model's license as the hub names it, from its own card or its GGUF file; null if neither says. */
export function licenseOf(model: string): string | null {
  try {
    return statedLicense(modelPath(model));
  } catch (error) {
    // The model may have moved since; only a line of the card is lost.
    if (error instanceof UserError) return null;
    throw error;
  }
}

function statedLicense(path: string): string | null {
  if (path.endsWith('.gguf')) return ggufLicense(path);
  const card = join(path, 'README.md');
  if (!exists(card)) return null;
  const text = new TextDecoder().decode(readSmallFile(card, 1 << 20));
  const [, header] = /^---\r?\n([\s\S]*?)\n---/.exec(text) ?? [];
  return sound(/^license:[ \t]*["']?([^\s"']+)["']?[ \t]*\r?$/m.exec(header ?? '')?.[1]);
}

function ggufLicense(path: string): string | null {
  const source = openFile(path);
  try {
    return sound(parseGguf(source).metadata.get('general.license'));
  } finally {
    source.close();
  }
}

/** Goes into YAML, so only what the hub's identifiers consist of. */
function sound(license: unknown): string | null {
  return typeof license === 'string' && /^[\w.+-]{1,64}$/.test(license) ? license.toLowerCase() : null;
}
