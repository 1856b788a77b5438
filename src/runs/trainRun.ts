import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { LoraShape } from '../core/adapters/lora.js';
import type { TrainingData } from '../core/data/batches.js';
import { isDeviceFailure, UserError } from '../core/errors.js';
import { totalElements } from '../core/formats/hostTensor.js';
import type { BaseDType } from '../core/models/matrixForm.js';
import { freshProgress, runLoop, type LoopOptions, type LoopPorts, type LoopResult, type Progress } from '../core/train/loop.js';
import type { FormatName } from '../core/data/detectFormat.js';
import type { StepRunner, TrainableState } from '../core/train/stepRunner.js';
import { taughtMarkers } from '../core/tokenizer/fillInTheMiddle.js';
import { writeAdapterFolder } from '../files/adapterFolder.js';
import { writeTaughtMarkers } from '../files/taughtMarkers.js';
import { removeUnfinished } from '../files/atomicWrite.js';
import { t } from '../l10n/text.js';
import type { RunState } from '../protocol/run.js';
import type { RunConfig, TrainConfig } from '../protocol/runConfig.js';
import type { WorkspaceManifest } from '../protocol/workspaceManifest.js';
import { writeModelCards } from './card/writeModelCard.js';
import { readLatestCheckpoint, saveCheckpoint, savedSteps, type Checkpoint } from './checkpoints.js';
import { cutMetricsAfter } from './metricsFile.js';
import { disposedOnFailure, disposeQuietly } from '../runtime/disposal.js';
import { PeakSince } from '../runtime/memory/peak.js';
import { ProcessUse } from '../runtime/processUse.js';
import type { RunDirectory } from './runDirectory.js';
import { RunJournal, type KilledMessage, type TrainingListener } from './runJournal.js';
import { lockRun } from './runLock.js';
import { TrainingSampler, type SampleSource } from './trainingSampler.js';
import { appendSample, cutSamplesAfter } from './samplesFile.js';
import { warmupSteps } from './derivedSettings.js';
import { writeWorkspaceManifest } from './workspaceManifest.js';

/** A run config with model and data loaded; the runner holds the initial adapter. */
export interface PreparedRun {
  readonly runner: StepRunner;
  readonly data: TrainingData;
  /** Changes when the sequences, or their division into steps, change. */
  readonly dataFingerprint: string;
  /** The format that the data turned out to have. */
  readonly dataFormat: FormatName;
  /** What the run learns from; null if that is no folder of source code. */
  readonly manifest: WorkspaceManifest | null;
  /** Whether the model is taught to fill in the middle by marker strings, which ghost text must then use too. */
  readonly teachesMarkers: boolean;
  readonly totalSteps: number;
  readonly baseDType: BaseDType;
  readonly lora: LoraShape;
  /** The base model named in the adapter's config. */
  readonly baseModel: string;
  /** Null if no samples are wanted, or nothing is held out to use as prompts. */
  readonly samples: SampleSource | null;
  dispose(): Promise<void>;
}

/** What `prepare` reports while it works. */
export interface PreparationPorts {
  /** Sentences for the log and for the listener. */
  note(text: string): void;
  /** Called before anything is loaded, since the loading may be what gets the process killed. */
  setKilledMessage(killedMessage: KilledMessage): void;
  /** When aborted, the preparation ends with an error. */
  readonly signal?: AbortSignal;
}

export interface TrainRunOptions {
  /** Loads model and data; `resumedDType` is the base's data type up to the last checkpoint, null if unknown. */
  prepare(config: RunConfig, ports: PreparationPorts, resumedDType: BaseDType | null): Promise<PreparedRun>;
  /** When aborted, saves a checkpoint after the current step and ends the run as stopped. */
  readonly signal?: AbortSignal;
  readonly listener?: TrainingListener;
  /** Whether the queue trains it. Then it is trained only if it still waits, and when aborted it goes back to its place. */
  readonly fromQueue?: boolean;
  /** After which step a run of so many is evaluated, saved and put back into the queue; null means that it is trained to its end. */
  readonly leaveAfter?: (totalSteps: number) => number | null;
}

/**
 * Trains a run directory to its end, from the beginning or from its last checkpoint; one process at a time. Obeys control.json
 * between steps. Returns the final state; rethrows what ended the run, after recording it as failed.
 */
export async function trainRun(run: RunDirectory, options: TrainRunOptions): Promise<RunState> {
  const lock = lockRun(run.path);
  try {
    const fromQueue = options.fromQueue ?? false;
    if (fromQueue && run.readState().status !== 'queued') return run.readState();
    // A command to a waiting run is meant for the process that comes, which may have begun long ago.
    if (!fromQueue) run.dropEarlierControl();
    const journal = new RunJournal(run, options.listener ?? {}, fromQueue);
    try {
      return await prepareAndTrain(run, journal, options);
    } catch (error) {
      if (fromQueue && options.signal?.aborted) return journal.end('queued', null); // it was told to end while it prepared
      const advised = withAdvice(error, savedSteps(run.checkpointsPath).at(-1));
      journal.endWithError(advised);
      throw advised;
    }
  } finally {
    lock.release();
  }
}

async function prepareAndTrain(run: RunDirectory, journal: RunJournal, options: TrainRunOptions): Promise<RunState> {
  const config = run.readConfig();
  try {
    return await trainOnce(run, config, journal, options);
  } catch (error) {
    if (!isDeviceFailure(error) || !config.engine.cpu_fallback) throw error;
    journal.note(t`${error.message} Continuing on the CPU, since engine.cpu_fallback is on.`);
    return trainOnce(run, { ...config, engine: { ...config.engine, device: 'cpu' } }, journal, options);
  }
}

/** Trains on one device, from the last checkpoint or from the beginning. */
async function trainOnce(run: RunDirectory, config: RunConfig, journal: RunJournal, options: TrainRunOptions): Promise<RunState> {
  const ports: PreparationPorts = {
    note: (text) => journal.note(text),
    setKilledMessage: (killedMessage) => journal.setKilledMessage(killedMessage),
    ...(options.signal && { signal: options.signal }),
  };
  const peak = new PeakSince();
  const prepared = await options.prepare(config, ports, savedDType(run));
  run.settleFormat(prepared.dataFormat);
  const trained = await disposedOnFailure(prepared, () => new RunTrainer(run, config, prepared, journal, peak, options).train());
  await disposeQuietly(prepared, (error) => journal.logAfterEnd(error));
  return trained;
}

/** The base's data type up to the last checkpoint, whose tensors are read again when they are needed instead of being kept. */
function savedDType({ checkpointsPath }: RunDirectory): BaseDType | null {
  return readLatestCheckpoint(checkpointsPath, () => undefined)?.record.baseDType ?? null;
}

/** Adds how to continue when the device or its memory ended the run. */
function withAdvice(error: unknown, savedStep: number | undefined): unknown {
  const advised = (error: UserError, advice: string) =>
    new UserError(error.code, t`${error.message} ${advice}`, { cause: error });
  if (isDeviceFailure(error)) {
    const advice =
      savedStep === undefined
        ? t`Nothing is saved yet: start the run again, with engine.device set to "cpu" if it fails again.`
        : t`The checkpoint of step ${savedStep} is saved: resume the run, with engine.device set to "cpu" if it fails again.`;
    return advised(error, advice);
  }
  if (error instanceof UserError && error.code === 'out-of-memory' && savedStep !== undefined) {
    return advised(
      error,
      t`The checkpoint of step ${savedStep} is saved: resume the run with other settings of the engine; for others, start a new run with lora.init_from set to this run’s adapter.`,
    );
  }
  return error;
}

class RunTrainer implements LoopPorts {
  private readonly use = new ProcessUse();
  private readonly sampler: TrainingSampler | null;

  constructor(
    private readonly run: RunDirectory,
    private readonly config: RunConfig,
    private readonly prepared: PreparedRun,
    private readonly journal: RunJournal,
    private readonly peak: PeakSince,
    private readonly options: TrainRunOptions,
  ) {
    this.sampler =
      prepared.samples &&
      new TrainingSampler(prepared.samples, {
        clock: () => this.clock(),
        note: (text) => journal.note(text),
        addSample: (sample) => appendSample(run.samplesPath, sample),
      });
  }

  async train(): Promise<RunState> {
    const { runner, data, manifest, totalSteps } = this.prepared;
    const from = await this.restore();
    if (manifest) writeWorkspaceManifest(this.run.path, manifest);
    this.use.restart();
    this.journal.describe({ totalSteps, device: runner.description });
    this.journal.setProgress(from);
    this.journal.setStatus('running');
    const leaveAfter = this.options.leaveAfter?.(totalSteps) ?? null;
    const result = await runLoop({ ...loopOptions(this.config.train, totalSteps), leaveAfter }, runner, data, this, from);
    this.journal.setProgress(result.progress);
    const end = this.endOf(result);
    if (end !== 'queued') this.run.writeControl('run'); // the command has been carried out
    const state = this.journal.end(end, this.closingWords(result));
    this.describeAdapters();
    return state;
  }

  private endOf({ reason }: LoopResult): 'queued' | 'stopped' | 'finished' {
    if (reason === 'left') return 'queued';
    if (reason !== 'stopped') return 'finished';
    return this.options.fromQueue && this.run.readControl() !== 'stop' ? 'queued' : 'stopped';
  }

  clock(): number {
    return performance.now() / 1000;
  }

  async command(): Promise<'run' | 'pause' | 'stop'> {
    // Lets signals in, since an engine step may block the thread.
    await nextTurn();
    return this.options.signal?.aborted ? 'stop' : this.run.readControl();
  }

  async waitWhilePaused(): Promise<void> {
    this.journal.setStatus('paused');
    while ((await this.command()) === 'pause') await sleep(200);
    this.use.restart();
    this.journal.setStatus('running');
  }

  onStep: LoopPorts['onStep'] = ({ loss, learningRate, gradNorm, tokensPerSecond }, progress) => {
    const heldBytes = this.peak.read();
    const { cpuPercent, memoryBytes } = this.use.read();
    this.journal.addMetric({
      step: progress.step,
      loss,
      learning_rate: learningRate,
      grad_norm: gradNorm,
      tokens: progress.tokens,
      tokens_per_second: tokensPerSecond,
      elapsed_seconds: progress.elapsedSeconds,
      peak_memory_bytes: heldBytes,
      memory_bytes: memoryBytes,
      cpu_percent: cpuPercent,
    });
    this.journal.setHeldMemory(heldBytes);
    this.journal.setProgress(progress);
  };

  onEvaluation: LoopPorts['onEvaluation'] = async (evalLoss, progress) => {
    const { runner, totalSteps } = this.prepared;
    this.journal.addMetric({ step: progress.step, eval_loss: evalLoss });
    this.journal.setProgress(progress);
    const { early_stopping_patience: patience } = this.config.train;
    const stopsEarly = patience !== null && progress.evaluationsWithoutImprovement >= patience;
    const parameters = async () => (await runner.exportState()).parameters;
    await this.sampler?.sample(progress.step, progress.step === totalSteps || stopsEarly, parameters);
  };

  saveCheckpoint(state: TrainableState, progress: Progress): void {
    const { dataFingerprint, baseDType } = this.prepared;
    saveCheckpoint(this.run.checkpointsPath, state, { progress, seed: this.config.train.seed, dataFingerprint, baseDType });
    this.saveAdapters(state, progress);
    this.journal.note(t`Saved the checkpoint of step ${progress.step}.`);
  }

  private saveAdapters({ parameters }: TrainableState, { step, bestStep }: Progress): void {
    const { lora, baseModel, teachesMarkers } = this.prepared;
    const adapter = { lora, baseModel, parameters };
    for (const folder of [this.run.adapterPath, ...(bestStep === step ? [this.run.bestAdapterPath] : [])]) {
      writeAdapterFolder(folder, adapter, this.config.lora.dropout);
      if (teachesMarkers) writeTaughtMarkers(folder, taughtMarkers);
    }
  }

  /** After the end, because a card that cannot be written must not make a finished run fail. */
  private describeAdapters(): void {
    try {
      writeModelCards(this.run);
    } catch (error) {
      this.journal.logAfterEnd(error);
    }
  }

  /** Restores the last checkpoint, if any, into the runner, and takes the run directory back to its step. */
  private async restore(): Promise<Progress> {
    const { runner } = this.prepared;
    const { checkpointsPath, adapterPath, bestAdapterPath } = this.run;
    [checkpointsPath, adapterPath, bestAdapterPath].forEach(removeUnfinished);
    const initial = await runner.exportState();
    this.journal.describe({ trainableParameters: totalElements(initial.parameters) });
    const checkpoint = readLatestCheckpoint(checkpointsPath, (message) => this.journal.note(message));
    const reached = checkpoint?.record.progress ?? freshProgress;
    cutMetricsAfter(this.run.metricsPath, reached);
    cutSamplesAfter(this.run.samplesPath, reached.evaluatedStep);
    if (!checkpoint) return freshProgress;
    this.checkSameRun(checkpoint, initial);
    await runner.importState(checkpoint.state);
    // If the process was killed between saving checkpoint and adapter, the adapter is one save behind.
    this.saveAdapters(checkpoint.state, checkpoint.record.progress);
    this.journal.note(t`Resuming at step ${checkpoint.record.progress.step}.`);
    return checkpoint.record.progress;
  }

  private checkSameRun({ record, state }: Checkpoint, initial: TrainableState): void {
    const changed = (what: string) => {
      const message = t`${this.run.path}: ${what} since the last checkpoint. Undo that or, if it came with an update of LoRA Workbench, start a new run with lora.init_from set to this run’s adapter.`;
      return new UserError('config-invalid', message);
    };
    if (shapes(state) !== shapes(initial)) throw changed(t`the adapter's rank, target modules or layers changed`);
    if (record.seed !== this.config.train.seed) throw changed(t`train.seed changed`);
    if (record.dataFingerprint !== this.prepared.dataFingerprint) throw changed(t`the training data, or how it is read, changed`);
  }

  private closingWords({ reason, progress }: LoopResult): string | null {
    if (reason !== 'early-stopping') return null;
    const { early_stopping_patience: patience } = this.config.train;
    const [best, bestStep] = [String(progress.bestEvalLoss?.toFixed(4)), String(progress.bestStep)];
    return t`Stopped early: no better held-out loss in ${String(patience)} evaluations; the best was ${best} at step ${bestStep}.`;
  }
}

function loopOptions(train: TrainConfig, totalSteps: number): LoopOptions {
  return {
    schedule: { name: train.lr_scheduler, peak: train.learning_rate, warmupSteps: warmupSteps(train, totalSteps), totalSteps },
    accumulationSteps: train.gradient_accumulation_steps,
    beta1: train.adam_beta1,
    beta2: train.adam_beta2,
    epsilon: train.adam_epsilon,
    weightDecay: train.weight_decay,
    maxGradNorm: train.max_grad_norm,
    evalSteps: train.eval_steps,
    saveSteps: train.save_steps,
    loggingSteps: train.logging_steps,
    patience: train.early_stopping_patience,
    seed: train.seed,
  };
}

function shapes({ parameters }: TrainableState): string {
  return [...parameters]
    .map(([name, { shape }]) => `${name} ${shape.join('×')}`)
    .sort()
    .join('\n');
}
