import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RunDirectory } from './runDirectory.js';

/** The run that made the adapter in this folder, if its run directory is still around it. */
export function runOfAdapter(adapterFolder: string): RunDirectory | null {
  const folder = dirname(adapterFolder);
  return existsSync(join(folder, 'run.json')) && existsSync(join(folder, 'state.json')) ? RunDirectory.open(folder) : null;
}
