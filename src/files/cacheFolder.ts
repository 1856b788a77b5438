import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { storedModelPath } from './stores/modelStores.js';

/**
 * Where downloaded models are stored: LORA_WORKBENCH_CACHE, or else the platform's folder for data that can be fetched again
 * (https://specifications.freedesktop.org/basedir-spec, Apple's Library/Caches, Windows' LOCALAPPDATA).
 */
export function cacheFolder(): string {
  const { env: environment } = process;
  const own = environment['LORA_WORKBENCH_CACHE'];
  if (own) return own;
  switch (process.platform) {
    case 'darwin':
      return join(homedir(), 'Library', 'Caches', 'lora-workbench');
    case 'win32':
      return join(environment['LOCALAPPDATA'] || join(homedir(), 'AppData', 'Local'), 'lora-workbench', 'Cache');
    default:
      return join(environment['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'lora-workbench');
  }
}

/** Every cached model is a folder or a .gguf file in here; its name, with or without .gguf, stands for its path. */
export function modelsFolder(): string {
  return join(cacheFolder(), 'models');
}

/** The path of a model given by path, or by its name here or in another program's store. The code that reads it checks what is there. */
export function modelPath(pathOrName: string): string {
  if (existsSync(pathOrName)) return pathOrName;
  const inCache = ['', '.gguf'].map((ending) => join(modelsFolder(), pathOrName + ending));
  return inCache.find((path) => existsSync(path)) ?? storedModelPath(pathOrName) ?? pathOrName;
}
