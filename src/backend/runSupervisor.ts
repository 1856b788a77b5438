import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFileAtomically } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import type { RunEvent, RunSummary } from '../protocol/backend.js';
import { queueOf } from '../protocol/queue.js';
import type { RunControl, RunLabels, RunState } from '../protocol/run.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { isOver, isToBeRequeued } from '../protocol/runs.js';
import type { SweepReport, SweepRequest } from '../protocol/sweep.js';
import { newRunFolder } from '../runs/newRunFolder.js';
import { dequeue, enqueue, isBusy, takeForTraining } from '../runs/queue/queue.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { writeLabels } from '../runs/runLabels.js';
import { createSweep } from '../sweep/createSweep.js';
import { sweepReport } from '../sweep/sweepReport.js';
import { QueueWorkers } from './queueWorkers.js';
import { RunWatcher } from './runWatcher.js';
import { lastError, startDetached } from './trainerProcess.js';

/** Queues, controls and labels runs. Like every other observer, it learns what a run is doing from the run directory. */
export class RunSupervisor {
  readonly watcher: RunWatcher;
  private readonly workers = new QueueWorkers(() => this.watcher.poll());

  constructor(
    private folders: readonly string[],
    publish: (event: RunEvent) => void,
  ) {
    this.watcher = new RunWatcher(folders, publish);
    this.watcher.start((runs) => this.ensureWorkers(runs));
  }

  setFolders(folders: readonly string[]): void {
    this.folders = folders;
    this.watcher.setFolders(folders);
  }

  /** Writes the run directory and puts it into the queue; returns the run's id. */
  start(config: RunConfig): string {
    const folder = this.newRunsFolder();
    const run = RunDirectory.create(newRunFolder(folder), config, { status: 'queued', queuedAt: new Date().toISOString() });
    this.workers.start(folder);
    this.watcher.attend(run.path);
    return run.path;
  }

  /** Makes a sweep, whose runs enter the queue; returns its id. */
  startSweep(request: SweepRequest): string {
    const folder = this.newRunsFolder();
    const sweepId = createSweep(folder, request);
    this.workers.start(folder);
    this.watcher.poll();
    return sweepId;
  }

  /** Of sweeps whose runs are listed only, because an id is a path that comes from outside this process. */
  sweepReport(sweepId: string): SweepReport {
    const isListed = this.watcher.snapshot().runs.some((run) => run.sweepId === sweepId);
    if (!isListed) throw new UserError('file-not-found', t`There is no sweep at ${sweepId}.`);
    return sweepReport(sweepId);
  }

  async resume(runId: string): Promise<void> {
    const run = this.open(runId);
    if (run.readState().status === 'paused') {
      run.writeControl('run');
    } else {
      await onceLetGo(run, () => enqueue(run));
      this.workers.start(queueOf({ runId, sweepId: this.watcher.get(runId)?.sweepId ?? null }));
    }
    this.watcher.attend(runId);
  }

  /** Trains a waiting run at once, beside whatever is trained. */
  startNow(runId: string): void {
    const run = this.open(runId);
    if (takeForTraining(run)) this.startTrainer(run);
  }

  dequeue(runIds: readonly string[]): void {
    for (const runId of runIds) dequeue(this.open(runId));
    this.watcher.poll();
  }

  control(runId: string, command: RunControl['command']): void {
    const run = this.open(runId);
    if (command === 'stop' && run.readState().status === 'queued') return this.dequeue([runId]);
    run.writeControl(command);
  }

  /** Stops looking; what was started goes on. */
  stop(): void {
    this.watcher.stop();
  }

  label(runId: string, labels: RunLabels): void {
    writeLabels(this.open(runId).path, labels);
    this.watcher.attend(runId);
  }

  /** Where new runs go. */
  private newRunsFolder(): string {
    const folder = this.folders[0];
    if (!folder) throw new UserError('config-invalid', t`There is no folder for runs: set loraWorkbench.runsFolder.`);
    makeRunsFolder(folder);
    return folder;
  }

  private startTrainer(run: RunDirectory): void {
    const before = run.readState();
    startDetached(['resume', run.path], run.logPath, (code) => this.noteDeath(run, before, code));
    this.watcher.attend(run.path);
  }

  /** Without this, a trainer that dies before writing anything would seem to prepare forever, or never to have been started. */
  private noteDeath(run: RunDirectory, before: RunState, code: number | null): void {
    if (!existsSync(run.statePath)) return;
    const state = run.readState();
    if (code !== 0 && state.pid === null && state.updatedAt === before.updatedAt) {
      const message =
        lastError(run.logPath) ?? t`The trainer ended before training began (exit code ${code ?? t`none`}); see ${run.logPath}.`;
      run.writeState({ ...state, status: 'failed', message, updatedAt: new Date().toISOString() });
    }
    this.watcher.poll();
  }

  private ensureWorkers(runs: readonly RunSummary[]): void {
    const waiting = runs.filter(({ state }) => state.status === 'queued' || isToBeRequeued(state));
    const queues = new Set(waiting.map(queueOf));
    for (const queue of queues) this.workers.ensure(queue);
  }

  /** Opens listed runs only, because an id is a path that comes from outside this process. */
  private open(runId: string): RunDirectory {
    if (!this.watcher.has(runId)) throw new UserError('file-not-found', t`There is no run at ${runId}.`);
    return RunDirectory.open(runId);
  }
}

const patienceMs = 3000;

/** The process that trained a run holds it a moment longer than the run lasts, until its memory is free. */
async function onceLetGo(run: RunDirectory, act: () => void): Promise<void> {
  for (const giveUp = performance.now() + patienceMs; ; await sleep(50)) {
    try {
      return act();
    } catch (error) {
      if (!isBusy(error) || !isOver(run.readState().status) || performance.now() > giveUp) throw error;
    }
  }
}

/** Creates the folder with a .gitignore: runs inside a repository do not belong in its history. */
function makeRunsFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(folder);
  writeFileAtomically(join(folder, '.gitignore'), '*\n');
}
