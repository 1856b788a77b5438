import { UserError } from '../core/errors.js';
import type { Progress } from '../core/train/loop.js';
import type { Metric, RunState, RunStatus } from '../protocol/run.js';
import { appendMetric } from './metricsFile.js';
import { ownIdentity } from './processIdentity.js';
import type { RunDirectory } from './runDirectory.js';
import { TensorBoardWriter } from './tensorBoard.js';

/** Who watches a run from inside its process: the command line. Everybody else reads the run directory. */
export interface TrainingListener {
  onMetric?(metric: Metric, totalSteps: number): void;
  /** A sentence about what happens: "Resuming at step 20." */
  onNote?(text: string): void;
}

/** What to say should the process vanish when it has held so much; by default, as much as it is expected to. */
export type KilledMessage = (heldBytes?: number) => string | null;

/** state.json is for people who look; a fast run does not flush the disk for it at every step. */
const stateIntervalMs = 500;

/** Writes down what happens in a run: state.json, metrics.jsonl, TensorBoard events, log.txt. */
export class RunJournal {
  private state: RunState;
  private tensorBoard: TensorBoardWriter | undefined;
  private lastWrite = -Infinity;
  private killedMessage: KilledMessage = () => null;

  constructor(
    private readonly run: RunDirectory,
    private readonly listener: TrainingListener,
  ) {
    const { pid, start } = ownIdentity();
    this.state = { ...run.readState(), status: 'preparing', pid, processStart: start, ifKilled: null, message: null };
    this.writeState();
  }

  /** Facts that become known while the run is prepared. */
  describe(facts: Partial<Pick<RunState, 'totalSteps' | 'device' | 'trainableParameters'>>): void {
    this.state = { ...this.state, ...facts };
  }

  /** Written at once: a process that is killed has no later moment. */
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

  /** The last entry of this process. */
  end(status: 'finished' | 'stopped' | 'failed', message: string | null): RunState {
    this.state = { ...this.state, message, pid: null, processStart: null, ifKilled: null };
    this.setStatus(status);
    if (message) this.run.log(message);
    return this.state;
  }

  /** The disk that ended the run may refuse this too; readers then find a run whose process is gone, which is as true. */
  endWithError(error: unknown): void {
    const message = error instanceof UserError ? error.message : `internal: ${String(error)}`;
    ifTheDiskTakesIt(() => {
      if (error instanceof Error && !(error instanceof UserError)) this.run.log(error.stack ?? error.message);
      this.end('failed', message);
    });
  }

  /** The run has its end; what goes wrong afterwards, while its memory is given back, changes nothing of it. */
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
