import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RunDirectory } from './runDirectory.js';

/** The folder of the adapter that a path means: itself, or a run's adapter. A file inside either stands for the folder. */
export function adapterAt(path: string): string {
  const folder = /^(adapter_config|state|run)\.json$|\.safetensors$/.test(basename(path)) ? dirname(path) : path;
  return existsSync(join(folder, 'state.json')) ? RunDirectory.open(folder).adapterPath : folder;
}
