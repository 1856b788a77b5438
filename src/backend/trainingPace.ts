import { modelPath } from '../files/cacheFolder.js';
import type { RunSummary } from '../protocol/backend.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { RunDirectory } from '../runs/runDirectory.js';

type Pace = Pick<RunConfig, 'data' | 'train'>;

/**
 * Estimates the time of a training step on this machine from the last pre-flight or run with the same model. The time grows with
 * the number of positions in a step.
 */
export class TrainingPace {
  private readonly secondsPerPosition = new Map<string, number>();

  /** `runs` returns the newest run first. */
  constructor(private readonly runs: () => readonly RunSummary[]) {}

  /** Records a fresh measurement, which takes precedence over past runs. */
  note(config: RunConfig, secondsPerStep: number): void {
    this.secondsPerPosition.set(modelPath(config.model), secondsPerStep / positions(config));
  }

  /** Returns null while nothing is known about the model. */
  secondsPerStep(config: RunConfig): number | null {
    const measured = this.secondsPerPosition.get(modelPath(config.model)) ?? this.ofLastRun(modelPath(config.model));
    return measured === undefined ? null : measured * positions(config);
  }

  private ofLastRun(model: string): number | undefined {
    const last = this.runs().find((run) => modelPath(run.model) === model && (run.lastStep?.step ?? 0) > 0);
    if (!last?.lastStep) return undefined;
    const { elapsed_seconds, step } = last.lastStep;
    return elapsed_seconds / step / positions(RunDirectory.open(last.runId).readConfig());
  }
}

function positions({ data, train }: Pace): number {
  return train.batch_size * train.gradient_accumulation_steps * data.max_seq_length;
}
