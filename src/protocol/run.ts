/** The run directory is the single source of truth about a run; its JSON files hold these types (docs/run-directory.md). */

/**
 * `queued` waits for its turn in the queue of its folder. `interrupted` is derived by readers: state.json names a process at work,
 * but that process is gone.
 */
export const runStatuses = ['queued', 'preparing', 'running', 'paused', 'stopped', 'finished', 'failed', 'interrupted'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** state.json, replaced atomically at every change of status and, at most every 500 ms, as steps are logged. */
export interface RunState {
  readonly status: RunStatus;
  /** Optimizer steps done. */
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** The training process; null if there is none. */
  readonly pid: number | null;
  /** Start time of that process in the system's own format; distinguishes it from a later process with the same pid. */
  readonly processStart: string | null;
  readonly device: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  /** When it entered the queue, until it has ended; null if it is not trained by the queue. */
  readonly queuedAt: string | null;
  /** Whether the queue has put it back because its process was gone, which happens once. */
  readonly requeued: boolean;
  readonly bestEvalLoss: number | null;
  readonly bestStep: number | null;
  readonly trainableParameters: number;
  /** Message for when the process turns out to be gone without an error; written in advance, when memory is getting short. */
  readonly ifKilled: string | null;
  /** One clear sentence saying why the run failed or stopped early. */
  readonly message: string | null;
}

/** A line of metrics.jsonl. */
export type Metric = StepMetric | EvalMetric;

export interface StepMetric {
  readonly step: number;
  readonly loss: number;
  readonly learning_rate: number;
  readonly grad_norm: number;
  /** Tokens seen since the run began, not counting padding. */
  readonly tokens: number;
  readonly tokens_per_second: number;
  readonly elapsed_seconds: number;
  readonly peak_memory_bytes: number;
  /** Resident memory of the process now. Missing in runs of earlier versions. */
  readonly memory_bytes?: number;
  /** Processor time since the previous logged step, in percent of one core (two busy threads are 200). Missing in older runs. */
  readonly cpu_percent?: number;
}

export interface EvalMetric {
  readonly step: number;
  readonly eval_loss: number;
}

/** A line of samples.jsonl: how the model, as trained up to `step`, answers a held-out prompt. Step 0 is the base model. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  /** How the held-out example continues. */
  readonly expected: string;
  readonly text: string;
}

/** labels.json: the user's name, tags and note for a run. */
export interface RunLabels {
  /** Null means the default name (runName.ts). */
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly note: string;
}

export const noLabels: RunLabels = { name: null, tags: [], note: '' };

/** control.json: a command that the trainer obeys between two steps. */
export interface RunControl {
  readonly command: 'run' | 'pause' | 'stop';
}
