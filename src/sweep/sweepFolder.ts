import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { readJsonFile } from '../files/jsonFile.js';
import { t } from '../l10n/text.js';
import { anything, list, object, string } from '../protocol/guard.js';
import type { Sweep, SweepRun } from '../protocol/sweep.js';
import { sweepRun, sweptSettings } from '../protocol/sweepGuards.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';
import { RunDirectory } from '../runs/runDirectory.js';

/** With more, looking at a sweep would be no help. */
export const mostRuns = 200;

export interface RunOfSweep extends SweepRun {
  readonly directory: RunDirectory;
}

/** The folder of a sweep; docs/run-directory.md describes its files. Its runs are read whenever they are asked for. */
export class SweepFolder {
  private constructor(
    readonly path: string,
    readonly sweep: Sweep,
  ) {}

  /** Throws UserError for a folder without a sound sweep.json, and if nothing is left of its runs. */
  static open(path: string): SweepFolder {
    const file = sweepFileOf(path);
    if (!existsSync(file)) throw new UserError('file-not-found', t`${path} is not the folder of a sweep: it has no sweep.json.`);
    const folder = new SweepFolder(resolve(path), parseSweep(file));
    if (folder.runs().length > 0) return folder;
    throw new UserError('file-not-found', t`${path} has none of the runs of its sweep any more.`);
  }

  /** Those that have not been removed, in the order in which they were planned. */
  runs(): readonly RunOfSweep[] {
    return this.sweep.runs.flatMap((run) => {
      const path = join(this.path, run.folder);
      return existsSync(join(path, 'state.json')) ? [{ ...run, directory: RunDirectory.open(path) }] : [];
    });
  }

  get rungsPath(): string {
    return join(this.path, 'rungs.json');
  }
}

export function sweepFileOf(folder: string): string {
  return join(folder, 'sweep.json');
}

/** Of a run's folder, the losses of its adapter; of the sweep's, those of the base. */
export function heldOutPath(folder: string): string {
  return join(folder, 'held-out.json');
}

const sweepOnDisk = object({ ...sweptSettings, config: anything, name: string, createdAt: string, runs: list(sweepRun) });

function parseSweep(file: string): Sweep {
  const damaged = () => new UserError('file-corrupt', t`${file} is damaged: it does not hold a sweep.`);
  const json = readJsonFile(file);
  if (!sweepOnDisk(json)) throw damaged();
  const checked = validateRunConfig(json.config);
  const names = new Set(json.runs.map(({ folder }) => folder));
  if (!checked.ok || names.size !== json.runs.length || names.size > mostRuns) throw damaged();
  const outside = json.runs.find(({ folder }) => !isFolderName(folder));
  if (outside) throw new UserError('file-corrupt', t`${file} names the run ${outside.folder}, which is outside of its folder.`);
  return { ...json, config: checked.config };
}

/** On any system; names that begin with a dot are never read. */
function isFolderName(name: string): boolean {
  return /^[^./\\:\0][^/\\:\0]*$/.test(name);
}
