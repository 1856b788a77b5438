import { t } from '../../l10n/text.js';
import type { BatchPlan, TrainingData } from '../data/batches.js';
import { UserError } from '../errors.js';
import { hash32 } from '../random.js';
import { learningRate, type Schedule } from './schedule.js';
import type { BatchLoss, StepRunner, TrainableState } from './stepRunner.js';

export interface LoopOptions {
  readonly schedule: Schedule;
  /** Micro-batches per optimizer step. */
  readonly accumulationSteps: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** 0 means no clipping. */
  readonly maxGradNorm: number;
  /** Optimizer steps between two evaluations, checkpoints and metrics, respectively. */
  readonly evalSteps: number;
  readonly saveSteps: number;
  readonly loggingSteps: number;
  /** Number of evaluations in a row without improvement before the run stops; null means never. */
  readonly patience: number | null;
  /** Determines the dropout masks. */
  readonly seed: number;
  /** The run is evaluated, saved and left after this step, to go on later; without it, it goes on to its end. */
  readonly leaveAfter?: number | null;
}

/** The state of a run between two optimizer steps; together with a TrainableState, all that a resumed run needs. */
export interface Progress {
  /** Number of optimizer steps done. */
  readonly step: number;
  readonly epoch: number;
  /** Number of micro-batches of this epoch done. */
  readonly microBatch: number;
  /** Number of tokens seen, not counting padding. */
  readonly tokens: number;
  /** Seconds of work, not counting pauses. */
  readonly elapsedSeconds: number;
  readonly bestEvalLoss: number | null;
  readonly bestStep: number | null;
  readonly evaluationsWithoutImprovement: number;
  /** The step after which the held-out loss was last measured; null before the first measurement. */
  readonly evaluatedStep: number | null;
}

export const freshProgress: Progress = {
  step: 0,
  epoch: 0,
  microBatch: 0,
  tokens: 0,
  elapsedSeconds: 0,
  bestEvalLoss: null,
  bestStep: null,
  evaluationsWithoutImprovement: 0,
  evaluatedStep: null,
};

export interface StepResult {
  readonly loss: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly tokensPerSecond: number;
}

/** What the loop needs from its environment. */
export interface LoopPorts {
  /** Time in seconds, from an arbitrary origin. */
  clock(): number;
  /** Called before every step. */
  command(): Promise<'run' | 'pause' | 'stop'>;
  /** Resolves when the command is no longer `pause`. */
  waitWhilePaused(): Promise<void>;
  onStep(result: StepResult, progress: Progress): void;
  onEvaluation(evalLoss: number, progress: Progress): void | Promise<void>;
  saveCheckpoint(state: TrainableState, progress: Progress): void;
}

export interface LoopResult {
  readonly reason: 'finished' | 'stopped' | 'early-stopping' | 'left';
  readonly progress: Progress;
}

/** Number of optimizer steps in a run of whole epochs; the last step of an epoch may have fewer micro-batches. */
export function stepsOfEpochs(data: TrainingData, epochs: number, accumulationSteps: number): number {
  let steps = 0;
  for (let epoch = 0; epoch < epochs; epoch++) steps += Math.ceil(data.epoch(epoch).count / accumulationSteps);
  return steps;
}

/**
 * Trains from `from` to schedule.totalSteps. The runner must hold the state that belongs to `from`; then a resumed run sees the
 * same batches, dropout masks and learning rates as an uninterrupted one. Throws UserError('diverged') when a loss or gradient is
 * not finite; checkpoints saved before that remain valid. If the device fails, its error is rethrown after saving the state of
 * the last complete step, if that can still be read.
 */
export async function runLoop(
  options: LoopOptions,
  runner: StepRunner,
  data: TrainingData,
  ports: LoopPorts,
  from: Progress = freshProgress,
): Promise<LoopResult> {
  const loop = new Loop(options, runner, data, ports, from);
  const reason = await loop.run();
  return { reason, progress: loop.progress };
}

class Loop {
  /** The progress that a resumed run would start from. */
  #saved: Progress;

  constructor(
    readonly options: LoopOptions,
    readonly runner: StepRunner,
    readonly data: TrainingData,
    readonly ports: LoopPorts,
    public progress: Progress,
  ) {
    this.#saved = progress;
  }

  async run(): Promise<LoopResult['reason']> {
    // A fresh run measures the loss before any training, for comparison; a resumed one repeats an interrupted evaluation.
    if (await this.#conclude()) return 'early-stopping';

    while (!this.#isLastStep) {
      const command = await this.ports.command();
      if (command !== 'run') await this.#save();
      if (command === 'stop') return 'stopped';
      if (command === 'pause') {
        await this.ports.waitWhilePaused();
        continue;
      }
      if (this.progress.step >= (this.options.leaveAfter ?? Infinity)) return this.#leave();
      await this.#step();
      if (await this.#conclude()) return 'early-stopping';
    }
    return 'finished';
  }

  get #isLastStep(): boolean {
    return this.progress.step >= this.options.schedule.totalSteps;
  }

  async #step(): Promise<void> {
    const [done, seconds] = await this.#compute(() =>
      optimizerStep(this.options, this.runner, this.data, this.progress, this.#saved.step),
    );
    this.progress = { ...done.progress, elapsedSeconds: this.progress.elapsedSeconds };
    if (this.progress.step % this.options.loggingSteps === 0 || this.#isLastStep)
      this.ports.onStep({ ...done, tokensPerSecond: done.tokens / seconds }, this.progress);
  }

  /** Evaluates and saves if due after a step; returns whether patience has run out. */
  async #conclude(): Promise<boolean> {
    const { evalSteps, saveSteps, patience } = this.options;
    const isLast = this.#isLastStep;
    const isDue = this.progress.step % evalSteps === 0 || isLast;
    if (this.data.evaluation && isDue && this.progress.evaluatedStep !== this.progress.step)
      await this.#evaluate(this.data.evaluation, withEvaluation);
    const isBest = this.progress.bestStep === this.progress.step;
    const outOfPatience = patience !== null && this.progress.evaluationsWithoutImprovement >= patience;
    if (this.progress.step % saveSteps === 0 || isLast || isBest || outOfPatience) await this.#save();
    return outOfPatience && !isLast;
  }

  /** An evaluation that is only made because the run is left counts neither as its best nor for its patience. */
  async #leave(): Promise<'left'> {
    if (this.data.evaluation && this.progress.evaluatedStep !== this.progress.step)
      await this.#evaluate(this.data.evaluation, (progress) => ({ ...progress, evaluatedStep: progress.step }));
    await this.#save();
    return 'left';
  }

  async #evaluate(heldOut: BatchPlan, counted: (progress: Progress, loss: number) => Progress): Promise<void> {
    const [loss] = await this.#compute(() => meanLoss(this.runner, heldOut));
    if (!Number.isFinite(loss)) throw diverged(t`evaluation loss`, loss, this.progress.step, this.#saved.step);
    this.progress = counted(this.progress, loss);
    await this.ports.onEvaluation(loss, this.progress);
  }

  async #save(): Promise<void> {
    const { step, evaluatedStep } = this.progress;
    const isSaved = this.#saved.step === step && this.#saved.evaluatedStep === evaluatedStep;
    if (isSaved || step === 0) return;
    this.ports.saveCheckpoint(await this.runner.exportState(), this.progress);
    this.#saved = this.progress;
  }

  async #saveIfPossible(): Promise<void> {
    try {
      await this.#save();
    } catch (second) {
      // The device, the disk, or V8 for lack of memory. The first failure is the one to report.
      if (!(second instanceof UserError || second instanceof RangeError)) throw second;
    }
  }

  /** The result of the work and the seconds it took, which are added to the run's time. */
  async #compute<Result>(work: () => Promise<Result>): Promise<[Result, number]> {
    const start = this.ports.clock();
    try {
      const result = await work();
      const seconds = this.ports.clock() - start;
      this.progress = { ...this.progress, elapsedSeconds: this.progress.elapsedSeconds + seconds };
      return [result, seconds];
    } catch (error) {
      if (isOfDevice(error)) await this.#saveIfPossible();
      throw error;
    }
  }
}

interface StepDone {
  readonly loss: number;
  readonly learningRate: number;
  readonly gradNorm: number;
  readonly tokens: number;
  readonly progress: Progress;
}

async function optimizerStep(
  options: LoopOptions,
  runner: StepRunner,
  data: TrainingData,
  progress: Progress,
  savedStep: number,
): Promise<StepDone> {
  const { epoch, batches, cursor } = position(data, progress);
  const end = Math.min(cursor + options.accumulationSteps, batches.count);
  const step = progress.step + 1;
  const sum = { lossSum: 0, labelTokens: 0 };
  let tokens = 0;
  for (let index = cursor; index < end; index++) {
    const batch = batches.batch(index);
    addLoss(sum, await runner.accumulate(batch, dropoutSeed(options.seed, step, index - cursor)));
    tokens += batch.tokens;
  }
  const loss = meanOf(sum, t`Step ${step}`);
  if (!Number.isFinite(loss)) throw diverged(t`loss`, loss, step, savedStep);
  const rate = learningRate(options.schedule, progress.step);
  const { gradNorm } = await runner.update({ ...options, step, learningRate: rate, labelTokens: sum.labelTokens });
  if (!Number.isFinite(gradNorm)) throw diverged(t`gradient`, gradNorm, step, savedStep);
  return {
    loss,
    learningRate: rate,
    gradNorm,
    tokens,
    progress: { ...progress, step, epoch, microBatch: end, tokens: progress.tokens + tokens },
  };
}

/** The epoch and micro-batch to continue with: at the end of an epoch, the start of the next. */
function position(data: TrainingData, progress: Progress): { epoch: number; batches: BatchPlan; cursor: number } {
  const batches = data.epoch(progress.epoch);
  if (progress.microBatch < batches.count) return { epoch: progress.epoch, batches, cursor: progress.microBatch };
  const epoch = progress.epoch + 1;
  const next = data.epoch(epoch);
  if (next.count === 0) throw new UserError('data-invalid', t`There is nothing to train on: the data has no usable example.`);
  return { epoch, batches: next, cursor: 0 };
}

/** Depends only on the micro-batch's place in the run, so that a resumed run drops the same elements. 31 bits fit an int32. */
function dropoutSeed(seed: number, step: number, microBatch: number): number {
  return hash32(seed, step, microBatch) >>> 1;
}

/** Mean loss over all label tokens of the batches, without dropout. To stop between two batches, throw from `beforeBatch`. */
export async function meanLoss(
  runner: Pick<StepRunner, 'evaluate'>,
  batches: BatchPlan,
  beforeBatch?: () => Promise<void>,
): Promise<number> {
  const sum = { lossSum: 0, labelTokens: 0 };
  for (let index = 0; index < batches.count; index++) {
    await beforeBatch?.();
    addLoss(sum, await runner.evaluate(batches.batch(index)));
  }
  return meanOf(sum, t`The held-out data`);
}

function addLoss(sum: { lossSum: number; labelTokens: number }, loss: BatchLoss): void {
  sum.lossSum += loss.lossSum;
  sum.labelTokens += loss.labelTokens;
}

function meanOf({ lossSum, labelTokens }: BatchLoss, what: string): number {
  if (labelTokens > 0) return lossSum / labelTokens;
  const advice = t`Its examples may be all prompt, or cut before the answer: raise data.max_seq_length.`;
  throw new UserError('data-invalid', t`${what} has no tokens to learn from. ${advice}`);
}

function withEvaluation(progress: Progress, evalLoss: number): Progress {
  const evaluated = { ...progress, evaluatedStep: progress.step };
  if (progress.step === 0) return evaluated; // only for comparison
  const improved = progress.bestEvalLoss === null || evalLoss < progress.bestEvalLoss;
  return improved
    ? { ...evaluated, bestEvalLoss: evalLoss, bestStep: progress.step, evaluationsWithoutImprovement: 0 }
    : { ...evaluated, evaluationsWithoutImprovement: progress.evaluationsWithoutImprovement + 1 };
}

function isOfDevice(error: unknown): boolean {
  return error instanceof UserError && (error.code === 'device-failed' || error.code === 'out-of-memory');
}

function diverged(what: string, value: number, step: number, savedStep: number): UserError {
  const advice = t`Lower train.learning_rate (a third of it is a good try), or raise train.warmup_steps.`;
  const goingOn = savedStep > 0 ? t`The checkpoint of step ${savedStep} is still good. ${advice}` : advice;
  return new UserError('diverged', t`The ${what} became ${value} at step ${step}: training has diverged. ${goingOn}`);
}
