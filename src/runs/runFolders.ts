import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ifReadable } from '../files/reading.js';

/** A folder that is a run directory, or may become one. */
export interface RunFolder {
  readonly path: string;
  /** The absolute path of the sweep's folder that it lies in, if any. */
  readonly sweepId: string | null;
}

/** The subfolders of a runs folder and, in place of a sweep's folder, those of the sweep. `isRun` spares known runs the look. */
export function runFoldersIn(folder: string, isRun: (path: string) => boolean = () => false): RunFolder[] {
  return subfolders(folder).flatMap((path): RunFolder[] => {
    if (isRun(path) || !isSweep(path)) return [{ path, sweepId: null }];
    return subfolders(path).map((run) => ({ path: run, sweepId: path }));
  });
}

/** A sweep's folder is no run itself. */
export function isSweep(folder: string): boolean {
  return existsSync(join(folder, 'sweep.json')) && !existsSync(join(folder, 'state.json'));
}

/** Names that begin with a dot are no runs: they are the queue's, or unfinished work. */
function subfolders(folder: string): string[] {
  const entries = ifReadable(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => resolve(folder, entry.name));
}
