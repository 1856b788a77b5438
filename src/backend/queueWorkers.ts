import { makeFolder } from '../files/atomicWrite.js';
import { UserError } from '../core/errors.js';
import { t } from '../l10n/text.js';
import { failWaiting, runsToTrain, type KnownRun } from '../runs/queue/queue.js';
import { hasKeeper, hasWorker, queueFolder, queueLogPath } from '../runs/queue/queueLock.js';
import { lastError, startDetached } from './trainerProcess.js';

/** How long runs may wait without a worker before another window's is taken for gone; between two workers, there is none. */
const graceMs = 3000;
const longestWaitMs = 60_000;

interface Queue {
  /** Processes of the queue that this one has started and that are alive. */
  readonly ours: Set<'worker' | 'keeper'>;
  /** Since when runs wait without a worker. */
  idleSince: number | null;
  /** Starts in a row that came to nothing. */
  failures: number;
  notBefore: number;
}

/**
 * Sees to it that waiting runs are trained, wherever they come from. A worker trains them; where runs wait for others, a keeper starts
 * the next worker when one has ended or was killed, also when this process is gone.
 */
export class QueueWorkers {
  private readonly queues = new Map<string, Queue>();

  /** `onFailure`: called when a run has been marked as failed, because no worker could be started for it. */
  constructor(private readonly onFailure: () => void) {}

  /** For a run that has just been put into the queue: starts a worker at once, if there is none. */
  start(folder: string): void {
    const queue = this.queueOf(folder);
    if (queue.ours.size === 0 && !hasWorker(folder)) this.run('worker', folder, queue);
  }

  /** To be called again and again while runs wait in the folder. */
  ensure(folder: string): void {
    const queue = this.queueOf(folder);
    const now = Date.now();
    if (queue.ours.has('keeper') || now < queue.notBefore) return;
    if (hasWorker(folder)) {
      queue.idleSince = null;
      if (!hasKeeper(folder)) this.run('keeper', folder, queue);
      return;
    }
    queue.idleSince ??= now;
    if (queue.ours.size === 0 && now - queue.idleSince >= graceMs) this.run('worker', folder, queue);
  }

  private queueOf(folder: string): Queue {
    const queue = this.queues.get(folder) ?? { ours: new Set(), idleSince: null, failures: 0, notBefore: 0 };
    this.queues.set(folder, queue);
    return queue;
  }

  private run(role: 'worker' | 'keeper', folder: string, queue: Queue): void {
    const [first] = runsToTrain(folder);
    if (!first) return;
    queue.ours.add(role);
    const ended = (code: number | null) => {
      queue.ours.delete(role);
      queue.idleSince = null;
      if (code === 0) queue.failures = 0;
      else this.noteFailure(folder, queue, first, code);
    };
    try {
      makeFolder(queueFolder(folder));
      startDetached(['queue', folder, ...(role === 'worker' ? ['--worker'] : [])], queueLogPath(folder), ended);
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      ended(null); // a full disk: tried again later
    }
  }

  /** Without this, a run for which no worker can be started would wait forever. */
  private noteFailure(folder: string, queue: Queue, first: KnownRun, code: number | null): void {
    queue.failures++;
    queue.notBefore = Date.now() + Math.min(longestWaitMs, 1000 * 2 ** queue.failures);
    if (hasWorker(folder) || code === endedOnRequest) return;
    const [still] = runsToTrain(folder);
    if (still?.runId !== first.runId || still.state.updatedAt !== first.state.updatedAt) return;
    try {
      failWaiting(first.run, failureOf(queueLogPath(folder), code));
      this.onFailure();
    } catch (error) {
      if (!(error instanceof UserError)) throw error; // it goes on waiting
    }
  }
}

/** What a shell reports for a program that was told to end. */
const endedOnRequest = 130;

function failureOf(logPath: string, code: number | null): string {
  return lastError(logPath) ?? t`The queue’s process ended before training began (exit code ${code ?? t`none`}); see ${logPath}.`;
}
