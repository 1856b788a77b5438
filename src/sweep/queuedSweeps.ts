import { dirname } from 'node:path';
import { cancellablePace } from '../analysis/pace.js';
import { ifReadable } from '../files/reading.js';
import type { QueuedSweeps } from '../runs/queue/queuedSweeps.js';
import { isSweep } from '../runs/runFolders.js';
import { measureFinished } from './heldOut.js';
import { decideRungs, nextRung } from './rungs.js';
import { SweepFolder } from './sweepFolder.js';

/**
 * How the queue trains the runs of sweeps: with halving from rung to rung, and those that have finished are measured. Runs of a sweep
 * whose files are damaged are trained to their end, like any other run.
 */
export function queuedSweeps(signal: AbortSignal): QueuedSweeps {
  return {
    stepLimitOf(runFolder, totalSteps) {
      const folder = sweepOf(runFolder);
      if (!folder) return null;
      decideRungs(folder); // unless the last process was killed just before
      return nextRung(folder, runFolder, totalSteps);
    },
    async afterRun(runFolder) {
      const folder = sweepOf(runFolder);
      if (!folder) return;
      decideRungs(folder);
      await measureFinished(
        folder,
        cancellablePace(() => undefined, signal),
      );
    },
  };
}

/** Undefined for a run of no sweep. */
function sweepOf(runFolder: string): SweepFolder | undefined {
  const parent = dirname(runFolder);
  return isSweep(parent) ? ifReadable(() => SweepFolder.open(parent)) : undefined;
}
