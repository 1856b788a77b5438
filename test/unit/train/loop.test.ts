import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import {
  freshProgress,
  meanLoss,
  runLoop,
  stepsOfEpochs,
  type LoopOptions,
  type LoopPorts,
  type Progress,
  type StepResult,
} from '../../../src/core/train/loop.js';
import { learningRate, type Schedule } from '../../../src/core/train/schedule.js';
import type { StepRunner, TrainableState } from '../../../src/core/train/stepRunner.js';
import { FakeRunner, fakeData, microBatches } from './fakeRunner.js';

interface Golden {
  readonly schedules: readonly (Schedule & { readonly rates: readonly number[] })[];
  readonly training: {
    readonly initial: readonly number[];
    readonly steps: readonly { loss: number; gradNorm: number; learningRate: number; w: number[] }[];
  };
}

// Made by test/golden/make_training_loop.py from PyTorch and transformers.
const golden = JSON.parse(readFileSync(new URL('../../golden/training_loop.json', import.meta.url), 'utf8')) as Golden;

describe('learning rates are those of transformers', () => {
  test.each(golden.schedules)('$name, warm-up $warmupSteps of $totalSteps', ({ rates, ...schedule }) => {
    const ours = rates.map((_, stepsDone) => learningRate(schedule, stepsDone));
    ours.forEach((rate, step) => expect(rate).toBeCloseTo(rates[step]!, 15));
  });
});

const options: LoopOptions = {
  schedule: { name: 'cosine', peak: 0.05, warmupSteps: 2, totalSteps: 8 },
  accumulationSteps: 2,
  beta1: 0.8,
  beta2: 0.95,
  epsilon: 1e-6,
  weightDecay: 0.1,
  maxGradNorm: 4,
  evalSteps: 3,
  saveSteps: 3,
  loggingSteps: 1,
  patience: null,
  seed: 7,
};

/** Ports that record what happened; the clock advances by a second each time it is read. */
class Recorder implements LoopPorts {
  readonly steps: (StepResult & { step: number })[] = [];
  readonly evaluations: { step: number; loss: number }[] = [];
  readonly checkpoints: { state: TrainableState; progress: Progress }[] = [];
  readonly commands: ('run' | 'pause' | 'stop')[] = [];
  pauses = 0;
  private seconds = 0;

  clock = () => this.seconds++;
  command = async () => this.commands.shift() ?? 'run';
  waitWhilePaused = async () => void this.pauses++;
  onStep = (result: StepResult, { step }: Progress) => void this.steps.push({ ...result, step });
  onEvaluation = (loss: number, { step }: Progress) => void this.evaluations.push({ step, loss });
  saveCheckpoint = (state: TrainableState, progress: Progress) => void this.checkpoints.push({ state, progress });
}

test('losses, norms and parameters follow PyTorch, over accumulation, clipping, warm-up and ends of epochs', async () => {
  const runner = new FakeRunner(golden.training.initial);
  const ports = new Recorder();
  const parameters: number[][] = [];
  const watched: LoopPorts = {
    ...ports,
    onStep: (result, progress) => {
      ports.onStep(result, progress);
      parameters.push(runner.w);
    },
  };
  const result = await runLoop(options, runner, fakeData(5), watched);
  expect(result.reason).toBe('finished');
  expect(result.progress).toMatchObject({ step: 8, epoch: 2, microBatch: 4 });
  golden.training.steps.forEach((expected, index) => {
    const step = ports.steps[index]!;
    expect(step.loss).toBeCloseTo(expected.loss, 12);
    expect(step.gradNorm).toBeCloseTo(expected.gradNorm, 12);
    expect(step.learningRate).toBeCloseTo(expected.learningRate, 15);
    expected.w.forEach((value, i) => expect(parameters[index]![i]).toBeCloseTo(value, 12));
  });
});

test('evaluates before training, every evalSteps and at the end; saves every saveSteps, at a best loss and at the end', async () => {
  const ports = new Recorder();
  await runLoop(options, new FakeRunner([0.5, -0.25]), fakeData(5, microBatches([3, 4])), ports);
  expect(ports.evaluations.map(({ step }) => step)).toEqual([0, 3, 6, 8]);
  expect(ports.checkpoints.map(({ progress }) => progress.step)).toEqual([3, 6, 8]);
  const best = ports.evaluations.slice(1).reduce((a, b) => (b.loss < a.loss ? b : a));
  expect(ports.checkpoints.at(-1)!.progress).toMatchObject({ bestStep: best.step, bestEvalLoss: best.loss });
});

test('a metric tells its own step; tokens per second leave pauses out', async () => {
  const ports = new Recorder();
  ports.commands.push('run', 'pause', 'pause', 'run');
  const { progress } = await runLoop({ ...options, loggingSteps: 3 }, new FakeRunner([0, 0]), fakeData(5), ports);
  expect(ports.steps.map(({ step }) => step)).toEqual([3, 6, 8]);
  expect(ports.pauses).toBe(2);
  expect(progress.elapsedSeconds).toBe(8);
  expect(ports.steps[0]!.tokensPerSecond).toBe(6);
});

test.each([1, 2, 4, 7])('stopped after %i steps and resumed, the run ends as an unbroken one, bit for bit', async (stopAt) => {
  const data = fakeData(5, microBatches([1, 2]));
  const unbroken = new FakeRunner([0.5, -0.25], 0.7);
  const whole = new Recorder();
  const expected = await runLoop(options, unbroken, data, whole);

  const before = new Recorder();
  before.commands.push(...Array<'run'>(stopAt).fill('run'), 'stop');
  const stopped = await runLoop(options, new FakeRunner([0.5, -0.25], 0.7), data, before);
  expect(stopped).toMatchObject({ reason: 'stopped', progress: { step: stopAt } });
  const checkpoint = before.checkpoints.at(-1)!;
  expect(checkpoint.progress.step).toBe(stopAt);

  const resumed = new FakeRunner([9, 9], 0.7);
  await resumed.importState(checkpoint.state);
  const after = new Recorder();
  const result = await runLoop(options, resumed, data, after, checkpoint.progress);
  expect(resumed.w).toEqual(unbroken.w);
  expect([...before.steps, ...after.steps].map(({ loss }) => loss)).toEqual(whole.steps.map(({ loss }) => loss));
  expect(result.progress).toEqual({ ...expected.progress, elapsedSeconds: result.progress.elapsedSeconds });
});

test('an evaluation in which the device failed is made first when the run is resumed, and counts', async () => {
  const data = fakeData(5, microBatches([1]));
  const impatient = { ...options, evalSteps: 1, patience: 1 };
  const evaluating = (...losses: (number | null)[]) => {
    const runner = new FakeRunner([0, 0]);
    runner.evaluate = async () => {
      const lossSum = losses.shift() ?? null;
      if (lossSum === null) throw new UserError('device-failed', 'gone');
      return { lossSum, labelTokens: 1 };
    };
    return runner;
  };
  const expected = await runLoop(impatient, evaluating(5, 4, 4.5), data, new Recorder());
  expect(expected).toMatchObject({ reason: 'early-stopping', progress: { step: 2 } });

  const before = new Recorder();
  await expect(runLoop(impatient, evaluating(5, 4, null), data, before)).rejects.toMatchObject({ code: 'device-failed' });
  const { state, progress: broken } = before.checkpoints.at(-1)!;

  const after = new Recorder();
  const resumed = evaluating(4.5);
  await resumed.importState(state);
  const { reason, progress } = await runLoop(impatient, resumed, data, after, broken);
  expect(reason).toBe('early-stopping');
  expect(progress).toEqual({ ...expected.progress, elapsedSeconds: progress.elapsedSeconds });
  expect(after.steps).toEqual([]);
  expect(after.checkpoints.at(-1)!.progress).toEqual(progress);
});

test('dropout differs from step to step and with the seed', async () => {
  const seeds: number[] = [];
  const runner = new FakeRunner([0, 0]);
  const spy: StepRunner = Object.assign(Object.create(runner) as StepRunner, {
    accumulate: (batch: Parameters<StepRunner['accumulate']>[0], seed: number) => {
      seeds.push(seed);
      return runner.accumulate(batch, seed);
    },
    update: (o: Parameters<StepRunner['update']>[0]) => runner.update(o),
  });
  await runLoop(options, spy, fakeData(4), new Recorder());
  await runLoop({ ...options, seed: 8 }, spy, fakeData(4), new Recorder());
  expect(new Set(seeds).size).toBe(seeds.length);
  expect(seeds.every((seed) => Number.isInteger(seed) && seed >= 0 && seed < 2 ** 31)).toBe(true);
});

test('early stopping: patience counts evaluations in a row without a better loss', async () => {
  const losses = [5, 4, 4.5, 3, 3.1, 3.2, 1];
  const runner = new FakeRunner([0, 0]);
  const scripted: StepRunner = Object.assign(Object.create(runner) as StepRunner, {
    accumulate: runner.accumulate.bind(runner),
    update: runner.update.bind(runner),
    exportState: runner.exportState.bind(runner),
    evaluate: async () => ({ lossSum: losses.shift()!, labelTokens: 1 }),
  });
  const ports = new Recorder();
  const schedule = { ...options.schedule, totalSteps: 50 };
  const data = fakeData(5, microBatches([1]));
  const result = await runLoop({ ...options, schedule, evalSteps: 1, patience: 2 }, scripted, data, ports);
  expect(result.reason).toBe('early-stopping');
  expect(result.progress).toMatchObject({ step: 5, bestStep: 3, bestEvalLoss: 3 });
  expect(ports.checkpoints.at(-1)!.progress.step).toBe(5);
});

test('a loss that is no number ends the run with advice and leaves the last checkpoint alone', async () => {
  const runner = new FakeRunner([0, 0]);
  let calls = 0;
  const failing: StepRunner = Object.assign(Object.create(runner) as StepRunner, {
    update: runner.update.bind(runner),
    exportState: runner.exportState.bind(runner),
    accumulate: async () => ({ lossSum: ++calls > 10 ? NaN : 1, labelTokens: 1 }),
  });
  const ports = new Recorder();
  const failure = await runLoop(options, failing, fakeData(6), ports).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(UserError);
  expect(failure).toMatchObject({ code: 'diverged' });
  expect((failure as Error).message).toMatch(/^The loss became NaN at step 6.*checkpoint of step 3 is still good.*learning_rate/);
  expect(ports.checkpoints.map(({ progress }) => progress.step)).toEqual([3]);
});

test('a step without a single label token is refused', async () => {
  const data = {
    epoch: () => ({ count: 1, batch: () => ({ ...microBatches([0]).batch(0), labelTokens: 0 }) }),
    evaluation: null,
  };
  await expect(runLoop(options, new FakeRunner([0, 0]), data, new Recorder())).rejects.toMatchObject({
    code: 'data-invalid',
    message: expect.stringContaining('Step 1 has no tokens to learn from'),
  });
});

test('so is a mean loss over data without one; between two batches it can be stopped', async () => {
  const runner = new FakeRunner([0, 0]);
  const unlabelled = { count: 2, batch: () => ({ ...microBatches([0]).batch(0), labelTokens: 0 }) };
  await expect(meanLoss(runner, unlabelled)).rejects.toThrow('The held-out data has no tokens to learn from.');
  let begun = 0;
  const stopped = meanLoss(runner, microBatches([0, 1, 2]), () =>
    ++begun === 2 ? Promise.reject(new Error('stopped')) : Promise.resolve(),
  );
  await expect(stopped).rejects.toThrow('stopped');
});

test('stopping before the first step saves nothing', async () => {
  const ports = new Recorder();
  ports.commands.push('stop');
  const result = await runLoop(options, new FakeRunner([0, 0]), fakeData(5), ports);
  expect(result).toEqual({ reason: 'stopped', progress: freshProgress });
  expect(ports.checkpoints).toEqual([]);
});

test('steps of whole epochs', () => {
  expect(stepsOfEpochs(fakeData(5), 3, 2)).toBe(9);
  expect(stepsOfEpochs(fakeData(5), 1, 8)).toBe(1);
});
