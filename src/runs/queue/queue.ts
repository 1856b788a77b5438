/** @file The queue of a runs folder: its runs whose state says that they wait. There is nothing else to it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../../core/errors.js';
import { ifReadable } from '../../files/reading.js';
import { t } from '../../l10n/text.js';
import { inQueueOrder } from '../../protocol/queue.js';
import type { RunState } from '../../protocol/run.js';
import { isLive, isOver, isToBeRequeued } from '../../protocol/runs.js';
import { RunDirectory } from '../runDirectory.js';
import { runFoldersIn } from '../runFolders.js';
import { lockRun } from '../runLock.js';

/** A run and its state when it was read. */
export interface KnownRun {
  /** The absolute path of the run directory. */
  readonly runId: string;
  readonly run: RunDirectory;
  readonly state: RunState;
}

/** The runs that wait, in the order of their turns. */
export function queuedRuns(folder: string): KnownRun[] {
  return inQueueOrder(runsIn(folder));
}

export function nextQueued(folder: string): RunDirectory | undefined {
  return queuedRuns(folder)[0]?.run;
}

/** The runs that a worker has to do with: those that wait, and those whose process is gone and which it puts back. */
export function runsToTrain(folder: string): KnownRun[] {
  return runsIn(folder).filter(({ state }) => state.status === 'queued' || isToBeRequeued(state));
}

/** A run of the folder that another process trains. */
export function runOfAnother(folder: string): KnownRun | undefined {
  return runsIn(folder).find(({ state: { status, pid } }) => isLive(status) && pid !== null && pid !== process.pid);
}

/** Puts a run that is over at the end of the queue; its earlier commands are void. Throws UserError('run-busy') while it is trained. */
export function enqueue(run: RunDirectory): void {
  whileNobodyTrains(run, (state) => {
    if (!isOver(state.status)) return;
    run.writeControl('run');
    run.writeState({ ...state, ...atRest, status: 'queued', queuedAt: now(), updatedAt: now(), message: null });
  });
}

/** Takes a waiting run out of the queue; if its turn has just come, it is stopped. */
export function dequeue(run: RunDirectory): void {
  try {
    leave(run, 'stopped');
  } catch (error) {
    if (!isBusy(error)) throw error;
    run.writeControl('stop');
  }
}

/** Takes a waiting run out of the queue for a reason that it is to tell, unless its turn has just come. */
export function stopWaiting(run: RunDirectory, message: string): void {
  ifNobodyTrains(run, (state) => {
    if (state.status !== 'queued') return;
    run.writeState({ ...state, ...atRest, status: 'stopped', queuedAt: null, message, updatedAt: now() });
    run.log(message);
  });
}

/** Gives those of these runs that wait the place of the first of them, so that the least trained is the next. */
export function waitTogether(runs: readonly RunDirectory[]): void {
  const waiting = runs.filter((run) => run.readState().status === 'queued');
  const first = waiting.map((run) => run.readState().queuedAt ?? '').sort()[0];
  for (const run of waiting) {
    if (run.readState().queuedAt === first) continue;
    ifNobodyTrains(run, (state) => {
      if (state.status === 'queued') run.writeState({ ...state, queuedAt: first ?? null });
    });
  }
}

/** Takes a waiting run out of the queue because it is about to be trained beside it. Returns whether it was waiting. */
export function takeForTraining(run: RunDirectory): boolean {
  return leave(run, 'preparing');
}

function leave(run: RunDirectory, status: 'stopped' | 'preparing'): boolean {
  return whileNobodyTrains(run, (state) => {
    const waits = state.status === 'queued';
    if (waits) run.writeState({ ...state, ...atRest, status, queuedAt: null, updatedAt: now() });
    return waits;
  });
}

/** Puts runs of the queue whose process is gone back to their places. One that had been told to stop has stopped. */
export function requeueInterrupted(folder: string): void {
  for (const { run, state } of runsIn(folder)) if (isToBeRequeued(state)) requeue(run);
}

function requeue(run: RunDirectory): void {
  whileNobodyTrains(run, (state) => {
    if (!isToBeRequeued(state)) return;
    const wasStopped = run.readControl() === 'stop';
    if (wasStopped) return run.writeState({ ...state, ...atRest, status: 'stopped', queuedAt: null, updatedAt: now() });
    run.log(t`The process that trained this run is gone. It waits in the queue again and goes on from its last checkpoint.`);
    run.writeState({ ...state, status: 'queued', requeued: true, updatedAt: now() });
  });
}

/** Records that a waiting run could not be trained. */
export function failWaiting(run: RunDirectory, message: string): void {
  whileNobodyTrains(run, (state) => {
    if (state.status !== 'queued' && !isToBeRequeued(state)) return;
    run.writeState({ ...state, ...atRest, status: 'failed', queuedAt: null, message, updatedAt: now() });
  });
}

export function isBusy(error: unknown): error is UserError {
  return error instanceof UserError && error.code === 'run-busy';
}

/** What the state of a run says that no process works on. */
const atRest = { pid: null, processStart: null, ifKilled: null, requeued: false } as const;

/** Reads the state and acts on it under the run's lock, so that no trainer begins in between. */
function whileNobodyTrains<Result>(run: RunDirectory, act: (state: RunState) => Result): Result {
  const lock = lockRun(run.path);
  try {
    return act(run.readState());
  } finally {
    lock.release();
  }
}

function ifNobodyTrains(run: RunDirectory, act: (state: RunState) => void): void {
  try {
    whileNobodyTrains(run, act);
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}

function runsIn(folder: string): KnownRun[] {
  return runFoldersIn(folder).flatMap(({ path }) => {
    if (!existsSync(join(path, 'state.json'))) return [];
    const known = ifReadable(() => {
      const run = RunDirectory.open(path);
      return { runId: path, run, state: run.readState() };
    });
    return known ?? [];
  });
}

function now(): string {
  return new Date().toISOString();
}
