import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../core/errors.js';
import { makeFolder, writeFileAtomically } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import type { RunEvent } from '../protocol/backend.js';
import type { RunControl } from '../protocol/run.js';
import { isLive } from '../protocol/runs.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { newRunFolder } from '../runs/newRunFolder.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { RunWatcher } from './runWatcher.js';
import { startTrainer } from './trainerProcess.js';

/** Starts, steers and removes runs. What a run is doing it learns from its directory, like everybody else. */
export class RunSupervisor {
  readonly watcher: RunWatcher;

  constructor(
    private folders: readonly string[],
    publish: (event: RunEvent) => void,
  ) {
    this.watcher = new RunWatcher(folders, publish);
    this.watcher.start();
  }

  setFolders(folders: readonly string[]): void {
    this.folders = folders;
    this.watcher.setFolders(folders);
  }

  /** Writes the run directory and starts its trainer; returns the run's id. */
  start(config: RunConfig): string {
    const folder = this.folders[0];
    if (!folder) throw new UserError('config-invalid', t`There is no folder for runs: set loraWorkbench.runsFolder.`);
    makeRunsFolder(folder);
    const run = RunDirectory.create(newRunFolder(folder), config);
    this.startTrainer(run);
    return run.path;
  }

  resume(runId: string): void {
    const run = this.open(runId);
    if (run.readState().status === 'paused') run.writeControl('run');
    else this.startTrainer(run);
    this.watcher.look();
  }

  control(runId: string, command: RunControl['command']): void {
    this.open(runId).writeControl(command);
  }

  delete(runId: string): void {
    const run = this.open(runId);
    if (isLive(run.readState().status)) {
      throw new UserError('run-busy', t`${run.name} is still going. Stop it first.`);
    }
    rmSync(run.path, { recursive: true, force: true });
    this.watcher.look();
  }

  private startTrainer(run: RunDirectory): void {
    startTrainer(run, (code) => this.noteDeath(run, code));
    this.watcher.look();
  }

  /** A trainer that dies before it could write anything down would otherwise seem to prepare for ever. */
  private noteDeath(run: RunDirectory, code: number | null): void {
    if (!existsSync(run.statePath)) return;
    const state = run.readState();
    if (state.status === 'preparing' && state.pid === null) {
      const message = t`The trainer ended before it began (exit code ${code ?? t`none`}); see ${run.logPath}.`;
      run.writeState({ ...state, status: 'failed', message, updatedAt: new Date().toISOString() });
    }
    this.watcher.look();
  }

  /** Only what is listed can be touched: an id is a path, and comes from outside this process. */
  private open(runId: string): RunDirectory {
    if (!this.watcher.has(runId)) throw new UserError('file-not-found', t`There is no run at ${runId}.`);
    return RunDirectory.open(runId);
  }
}

/** Inside a repository runs are not for its history. */
function makeRunsFolder(folder: string): void {
  if (existsSync(folder)) return;
  makeFolder(folder);
  writeFileAtomically(join(folder, '.gitignore'), '*\n');
}
