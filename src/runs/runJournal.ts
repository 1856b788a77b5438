import { UserError } from '../core/errors.js';
import type { Progress } from '../core/train/loop.js';
import type { Metric, RunState, RunStatus } from '../protocol/run.js';
import { appendMetric } from './metricsFile.js';
import { ownIdentity } from './processIdentity.js';
import type { RunDirectory } from './runDirectory.js';
import { TensorBoardWriter } from './tensorBoard.js';

/** Watches a run from inside its process, as the command line does. Everything else reads the run directory. */
export interface TrainingListener {
  onMetric?(metric: Metric, totalSteps: number): void;
  /** A sentence about what happens: "Resuming at step 20." */
  onNote?(text: string): void;
}

/** The message in case the process vanishes while holding this much memory; by default, as much as it is expected to. */
export type KilledMessage = (heldBytes?: number) => string | null;

/** Minimum time between progress updates of state.json, so that a fast run does not flush to disk at every step. */
const stateIntervalMs = 500;

/** Records what happens in a run: state.json, metrics.jsonl, TensorBoard events, log.txt. */
export class RunJournal {
  private state: RunState;
  private tensorBoard: TensorBoardWriter | undefined;
  private lastWrite = -Infinity;
  private killedMessage: KilledMessage = () => null;

  constructor(
    private readonly run: RunDirectory,
    private readonly listener: TrainingListener,
    fromQueue: boolean,
  ) {
    const { pid, start } = ownIdentity();
    const before = run.readState();
    const place = fromQueue ? {} : { queuedAt: null, requeued: false };
    this.state = { ...before, ...place, status: 'preparing', pid, processStart: start, ifKilled: null, message: null };
    this.writeState();
  }

  /** Facts that become known while the run is prepared. */
  describe(facts: Partial<Pick<RunState, 'totalSteps' | 'device' | 'trainableParameters'>>): void {
    this.state = { ...this.state, ...facts };
  }

  /** Written at once, since a process that gets killed has no later chance. */
  setKilledMessage(killedMessage: KilledMessage): void {
    this.killedMessage = killedMessage;
    this.state = { ...this.state, ifKilled: killedMessage() };
    this.writeState();
  }

  setHeldMemory(bytes: number): void {
    this.state = { ...this.state, ifKilled: this.killedMessage(bytes) };
  }

  setStatus(status: RunStatus): void {
    this.state = { ...this.state, status };
    this.writeState();
    this.run.log(`status: ${status}`);
  }

  note(text: string): void {
    this.run.log(text);
    this.listener.onNote?.(text);
  }

  setProgress({ step, epoch, bestEvalLoss, bestStep }: Progress): void {
    this.state = { ...this.state, step, epoch, bestEvalLoss, bestStep };
    if (performance.now() - this.lastWrite >= stateIntervalMs) this.writeState();
  }

  addMetric(metric: Metric): void {
    appendMetric(this.run.metricsPath, metric);
    this.tensorBoard ??= new TensorBoardWriter(this.run.tensorBoardPath);
    this.tensorBoard.write(metric);
    this.listener.onMetric?.(metric, this.state.totalSteps);
  }

  /** Writes the last entry of this process. */
  end(status: 'queued' | 'finished' | 'stopped' | 'failed', message: string | null): RunState {
    const place = status === 'queued' ? {} : { queuedAt: null, requeued: false };
    this.state = { ...this.state, ...place, message, pid: null, processStart: null, ifKilled: null };
    this.setStatus(status);
    if (message) this.run.log(message);
    return this.state;
  }

  /** The disk error that ended the run may make this fail too; readers then correctly find a run whose process is gone. */
  endWithError(error: unknown): void {
    const message = error instanceof UserError ? error.message : `internal: ${String(error)}`;
    ifTheDiskTakesIt(() => {
      if (error instanceof Error && !(error instanceof UserError)) this.run.log(error.stack ?? error.message);
      this.end('failed', message);
    });
  }

  /** For errors after the run has ended, while its memory is being released; they do not change its outcome. */
  logAfterEnd(error: unknown): void {
    ifTheDiskTakesIt(() => this.run.log(error instanceof Error ? (error.stack ?? error.message) : String(error)));
  }

  private writeState(): void {
    this.lastWrite = performance.now();
    this.state = { ...this.state, updatedAt: new Date().toISOString() };
    this.run.writeState(this.state);
  }
}

function ifTheDiskTakesIt(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
}
