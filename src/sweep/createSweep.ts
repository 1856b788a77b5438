import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { makeFolder, replaceFolderAtomically, writeFlushed } from '../files/atomicWrite.js';
import { noLabels } from '../protocol/run.js';
import type { Sweep, SweepRequest } from '../protocol/sweep.js';
import { newRunFolder } from '../runs/newRunFolder.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { writeLabels } from '../runs/runLabels.js';
import { planRuns } from './plan.js';
import { folderName, folderNames, runLabel, shortSettings } from './runNames.js';
import { sweepFileOf } from './sweepFolder.js';

/**
 * Makes the folder of a sweep with all its runs, waiting in the queue, and returns its absolute path; the paths in the config are
 * absolute already. Throws UserError for settings that do not exist or cannot be compared, and for values that a run would refuse.
 */
export function createSweep(runsFolder: string, request: SweepRequest): string {
  const planned = planRuns(request);
  const labels = planned.map(({ settings }) => runLabel(settings));
  const folders = folderNames(labels);
  const name = request.name?.trim() || shortSettings(Object.keys(request.parameters)).join(' × ');
  const sweep: Sweep = {
    name,
    createdAt: new Date().toISOString(),
    halving: request.halving,
    parameters: request.parameters,
    runs: planned.map(({ settings }, index) => ({ folder: folders[index]!, settings })),
    config: request.config,
  };
  const path = request.name === null ? newRunFolder(runsFolder, 'sweep-') : freeFolder(runsFolder, folderName(name) || 'sweep');
  makeFolder(runsFolder);
  replaceFolderAtomically(path, (folder) => {
    for (const [index, { config }] of planned.entries()) {
      const run = RunDirectory.create(join(folder, folders[index]!), config, { status: 'queued', queuedAt: sweep.createdAt });
      writeLabels(run.path, { ...noLabels, name: labels[index]! });
    }
    writeFlushed(sweepFileOf(folder), `${JSON.stringify(sweep, null, 2)}\n`);
  });
  return resolve(path);
}

function freeFolder(parent: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(parent, number === 1 ? name : `${name}-${number}`);
    if (!existsSync(path)) return path;
  }
}
