import type { PreflightReport } from '../protocol/preflight.js';
import type { RunState } from '../protocol/run.js';
import { preflightReport } from '../runs/preflight/preflight.js';
import { prepareRun } from '../runs/prepareRun.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import { savedSteps } from '../runs/checkpoints.js';
import { trainRun, type TrainRunOptions } from '../runs/trainRun.js';
import { disposedOnFailure } from '../runtime/disposal.js';
import type { CommandContext } from './runCommand.js';
import { TrainingView } from './trainingView.js';

export interface TrainingOptions extends Turn {
  /** Gets the pre-flight report of a new run; a resumed run has none. */
  onReport(report: PreflightReport): void;
}

/** What a worker of the queue adds: how far to train, and what it has loaded already. */
export interface Turn extends Pick<TrainRunOptions, 'fromQueue' | 'leaveAfter'> {
  readonly prepare?: typeof prepareRun;
}

/** Trains a run directory and shows its progress. */
export async function trainWithView(
  { output, signal }: CommandContext,
  run: RunDirectory,
  { onReport, prepare = prepareRun, ...turn }: TrainingOptions,
): Promise<RunState> {
  const view = new TrainingView(output);
  const announceStop = () => view.line('Stopping after this step; a checkpoint will be saved. Ctrl+C again ends at once.');
  signal.addEventListener('abort', announceStop);
  const begins = savedSteps(run.checkpointsPath).length === 0;
  try {
    return await trainRun(run, {
      ...turn,
      signal,
      async prepare(config, ports, resumedDType) {
        const loaded = await prepare(config, ports, resumedDType);
        if (begins) onReport(await disposedOnFailure(loaded, () => preflightReport(loaded, config)));
        return loaded;
      },
      listener: { onMetric: (metric, totalSteps) => view.show(metric, totalSteps) },
    });
  } finally {
    signal.removeEventListener('abort', announceStop);
    view.end();
  }
}
