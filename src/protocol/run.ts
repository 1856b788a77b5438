/** A run directory is the only truth about a run: these are the contents of its JSON files (docs/run-directory.md). */

/** `interrupted` is derived by readers: state.json says that a process is at work, but that process is gone. */
export const runStatuses = ['preparing', 'running', 'paused', 'stopped', 'finished', 'failed', 'interrupted'] as const;
export type RunStatus = (typeof runStatuses)[number];

/** state.json, replaced atomically at every change of status and every logged step. */
export interface RunState {
  readonly status: RunStatus;
  /** Optimizer steps done. */
  readonly step: number;
  readonly totalSteps: number;
  readonly epoch: number;
  /** Process that trains; null when none does. */
  readonly pid: number | null;
  /** When that process began, in the system's own words: tells it from a later one with the same pid. */
  readonly processStart: string | null;
  readonly device: string;
  readonly startedAt: string;
  readonly updatedAt: string;
  readonly bestEvalLoss: number | null;
  readonly bestStep: number | null;
  readonly trainableParameters: number;
  /** What to say where the process is found gone without a word: written beforehand, when memory is getting short. */
  readonly ifKilled: string | null;
  /** One clear sentence where status is failed, or why it stopped early. */
  readonly message: string | null;
}

/** A line of metrics.jsonl. */
export type Metric = StepMetric | EvalMetric;

export interface StepMetric {
  readonly step: number;
  readonly loss: number;
  readonly learning_rate: number;
  readonly grad_norm: number;
  /** Tokens seen since the run began, padding left out. */
  readonly tokens: number;
  readonly tokens_per_second: number;
  readonly elapsed_seconds: number;
  readonly peak_memory_bytes: number;
  /** What the process holds resident now. Runs of earlier versions lack it. */
  readonly memory_bytes?: number;
  /** Processor time since the step logged before, in percent of one core: two busy threads are 200. Earlier runs lack it. */
  readonly cpu_percent?: number;
}

export interface EvalMetric {
  readonly step: number;
  readonly eval_loss: number;
}

/** A line of samples.jsonl: what the model, as trained up to a step, answers to a held-out prompt. Step 0 is the base. */
export interface Sample {
  readonly step: number;
  readonly prompt: string;
  /** What the held-out example goes on with. */
  readonly expected: string;
  readonly text: string;
}

/** labels.json: what the user calls a run and says about it. */
export interface RunLabels {
  /** null: the run is called by what it is (runName.ts). */
  readonly name: string | null;
  readonly tags: readonly string[];
  readonly note: string;
}

export const noLabels: RunLabels = { name: null, tags: [], note: '' };

/** control.json, written by whoever wants the trainer to do something between two steps. */
export interface RunControl {
  readonly command: 'run' | 'pause' | 'stop';
}
