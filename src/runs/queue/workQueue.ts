import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../core/errors.js';
import { ifReadable } from '../../files/reading.js';
import type { RunDirectory } from '../runDirectory.js';
import { isBusy, nextQueued, requeueInterrupted, runOfAnother } from './queue.js';
import { lockQueue } from './queueLock.js';
import type { QueuedSweeps } from './queuedSweeps.js';

export interface QueuePorts {
  /** Trains one run, to the step that `leaveAfter` names or to its end; rethrows what ended it, after recording it (trainRun). */
  train(run: RunDirectory, leaveAfter: (totalSteps: number) => number | null): Promise<unknown>;
  readonly sweeps: QueuedSweeps;
  /** A sentence for the queue's log, in English like all logs. */
  note(text: string): void;
  /** When aborted, the run goes back to its place in the queue and the work ends. */
  readonly signal: AbortSignal;
}

/** How often to look whether the run of another process has ended. */
const lookAgainMs = 1000;

/**
 * Trains the waiting runs of a folder one after the other, and only while no other process trains one there. Ends when none waits, or
 * when the next one needs a fresh process: because it has another base than the last, two of which one process should never hold,
 * or because the last one failed, whose cause (a lost device, memory that is not given back) may have stayed. The caller sees in the
 * folder whether runs still wait. Throws UserError('run-busy') if there is a worker already.
 */
export async function workQueue(folder: string, ports: QueuePorts): Promise<void> {
  const lock = lockQueue(folder);
  try {
    requeueInterrupted(folder);
    await trainInTurn(folder, ports);
  } finally {
    lock.release();
  }
}

async function trainInTurn(folder: string, ports: QueuePorts): Promise<void> {
  let lastBase: string | undefined;
  for (;;) {
    const run = await nextTurn(folder, ports);
    if (!run) return;
    const base = baseOf(run);
    if (base !== undefined && lastBase !== undefined && base !== lastBase) return;
    lastBase = base;
    if (!(await trainOne(run, ports))) return;
  }
}

/** Waits until no other process trains in this folder. Returns undefined if no run waits, or when aborted. */
async function nextTurn(folder: string, { signal, note }: QueuePorts): Promise<RunDirectory | undefined> {
  let waitsFor: string | undefined;
  for (;;) {
    const next = signal.aborted ? undefined : nextQueued(folder);
    const other = next && runOfAnother(folder);
    if (!next || !other) return next;
    const words = `${next.name} waits until ${other.run.name} has ended (${other.state.status}).`;
    if (words !== waitsFor) note(words);
    waitsFor = words;
    await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Returns whether this process is fit to train another run. */
async function trainOne(run: RunDirectory, ports: QueuePorts): Promise<boolean> {
  ports.note(`Training ${run.name}.`);
  let isFit = true;
  try {
    await ports.train(run, (totalSteps) => ports.sweeps.stepLimitOf(run.path, totalSteps));
  } catch (error) {
    ports.note(`${run.name} failed: ${wordsOf(error)}`);
    if (isBusy(error)) {
      // Someone is at this run: it has just been removed, or is trained now.
      await sleep(lookAgainMs, undefined, { signal: ports.signal }).catch(() => undefined);
      return true;
    }
    if (run.readState().status === 'queued') throw error; // it was not even begun, and would not be next time
    isFit = false;
  }
  if (ports.signal.aborted) return false;
  await ports.sweeps.afterRun(run.path).catch((error: unknown) => ports.note(wordsOf(error)));
  return isFit;
}

/** What is loaded once for all runs that share it; undefined if the run's config cannot be read, which its training will tell. */
function baseOf(run: RunDirectory): string | undefined {
  return ifReadable(() => {
    const { model, engine } = run.readConfig();
    return JSON.stringify([model, engine]);
  });
}

function wordsOf(error: unknown): string {
  if (error instanceof UserError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
