import { appendToFile } from '../../files/atomicWrite.js';
import { UserError } from '../../core/errors.js';
import { exists } from '../../files/reading.js';
import { t } from '../../l10n/text.js';
import { runsToTrain } from '../../runs/queue/queue.js';
import { hasWorker, queueLogPath } from '../../runs/queue/queueLock.js';
import { RunLoader } from '../../runs/runLoader.js';
import { workQueue } from '../../runs/queue/workQueue.js';
import { queuedSweeps } from '../../sweep/queuedSweeps.js';
import { exitCodes, type ExitCode } from '../interrupt.js';
import { keepQueueWorked } from '../keepQueueWorked.js';
import type { CommandContext } from '../runCommand.js';
import { shortestPath } from '../shortestPath.js';
import { trainAndTell } from './train.js';

export interface QueueOptions {
  readonly worker?: boolean;
}

/** Trains the waiting runs of a folder until none is left. */
export async function queue(context: CommandContext, folder: string, options: QueueOptions): Promise<ExitCode> {
  if (!exists(folder)) throw new UserError('file-not-found', t`${folder} does not exist.`);
  const { output, signal } = context;
  if (options.worker) return work(context, folder);
  if (runsToTrain(folder).length === 0) output.say(`No run waits in ${shortestPath(folder)}.`);
  if (hasWorker(folder)) output.say('Another process trains the waiting runs; this one sees to it that none is left.');
  return keepQueueWorked(folder, output, signal);
}

async function work(context: CommandContext, folder: string): Promise<ExitCode> {
  const { output, signal } = context;
  const loader = new RunLoader();
  const { prepare } = loader;
  try {
    await workQueue(folder, {
      train: (run, leaveAfter) => trainAndTell(context, run, { fromQueue: true, leaveAfter, prepare }),
      sweeps: queuedSweeps(signal),
      note(text) {
        appendToFile(queueLogPath(folder), `${new Date().toISOString()} ${text}\n`);
        output.say(output.bold(text));
      },
      signal,
    });
  } finally {
    await loader.dispose();
  }
  return signal.aborted ? exitCodes.cancelled : exitCodes.done;
}
