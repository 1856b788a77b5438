import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { runLoop } from '../../../src/core/train/loop.js';
import type { RunConfig } from '../../../src/protocol/runConfig.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { enqueue } from '../../../src/runs/queue/queue.js';
import { workQueue } from '../../../src/runs/queue/workQueue.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { createSweep } from '../../../src/sweep/createSweep.js';
import { rungSteps, survivors, trainedShare } from '../../../src/protocol/halving.js';
import { queuedSweeps } from '../../../src/sweep/queuedSweeps.js';
import { SweepFolder } from '../../../src/sweep/sweepFolder.js';
import { sweepReport } from '../../../src/sweep/sweepReport.js';
import { fakeConfig, prepareFake } from '../runs/fakeRun.js';

test.each([
  { runs: 9, steps: 90, eta: 3, rungs: [10, 30], trained: 9 * 10 + 3 * 20 + 60 },
  { runs: 8, steps: 90, eta: 3, rungs: [30], trained: 8 * 30 + 2 * 60 },
  { runs: 27, steps: 1000, eta: 3, rungs: [37, 111, 333], trained: 27 * 37 + 9 * 74 + 3 * 222 + 667 },
  { runs: 4, steps: 40, eta: 2, rungs: [10, 20], trained: 4 * 10 + 2 * 10 + 20 },
  { runs: 200, steps: 6, eta: 2, rungs: [2, 3], trained: 200 * 2 + 100 * 1 + 50 * 3 },
  { runs: 3, steps: 1, eta: 3, rungs: [], trained: 3 },
])('$runs runs of $steps steps, one in $eta: compared after $rungs', ({ runs, steps, eta, rungs, trained }) => {
  expect(rungSteps(runs, steps, eta)).toEqual(rungs);
  expect(trainedShare(runs, steps, eta)).toBeCloseTo(trained / (runs * steps), 10);
});

const rates = [0.001, 0.003, 0.01, 0.02, 0.03, 0.05, 0.08, 0.12, 0.2];
/** No evaluation is due at a rung, so those made there are extra. */
const config = fakeConfig('train.max_steps=36', 'train.eval_steps=7', 'train.save_steps=100');
const nameOf = (rate: number) => `learning_rate=${rate}`;

const newFolder = () => mkdtempSync(join(tmpdir(), 'halving-'));
const adapterOf = (path: string) => readFileSync(join(path, 'adapter', 'adapter_model.safetensors')).toString('base64');

/** Each run by itself and in memory, evaluated after every step. */
let whole: { readonly name: string; readonly losses: readonly number[] }[];
beforeAll(async () => {
  whole = [];
  for (const rate of rates) {
    const { runner, data, totalSteps } = await prepareFake(config);
    const { train } = config;
    const losses: number[] = [];
    const options = {
      schedule: { name: train.lr_scheduler, peak: rate, warmupSteps: train.warmup_steps!, totalSteps },
      accumulationSteps: train.gradient_accumulation_steps,
      beta1: train.adam_beta1,
      beta2: train.adam_beta2,
      epsilon: train.adam_epsilon,
      weightDecay: train.weight_decay,
      maxGradNorm: train.max_grad_norm,
      evalSteps: 1,
      saveSteps: 100,
      loggingSteps: 1,
      patience: null,
      seed: train.seed,
    };
    await runLoop(options, runner, data, {
      clock: () => 0,
      command: async () => 'run',
      waitWhilePaused: async () => undefined,
      onStep: () => undefined,
      onEvaluation: (loss) => void losses.push(loss),
      saveCheckpoint: () => undefined,
    });
    whole.push({ name: nameOf(rate), losses });
  }
});

/** Works the queue as often as it takes; the work is interrupted after each of these numbers of logged steps. */
async function work(runs: string, interruptions: readonly number[] = []): Promise<string[]> {
  const turns: string[] = [];
  for (const interruption of [...interruptions, Infinity]) {
    const controller = new AbortController();
    let steps = 0;
    const onMetric = () => void (++steps >= interruption && controller.abort());
    await workQueue(runs, {
      train(run, leaveAfter) {
        turns.push(run.name);
        const prepare = (config: RunConfig) => prepareFake(config);
        return trainRun(run, { prepare, fromQueue: true, leaveAfter, listener: { onMetric }, signal: controller.signal });
      },
      sweeps: queuedSweeps(controller.signal),
      note: () => undefined,
      signal: controller.signal,
    });
  }
  return turns;
}

/** Successive halving by its definition, on what is known of the whole runs. */
function simulated(eta: number, rungs: readonly number[], names: readonly string[]): Map<string, number> {
  let going = whole.filter(({ name }) => names.includes(name));
  const trainedTo = new Map<string, number>();
  for (const rung of rungs) {
    going.forEach(({ name }) => trainedTo.set(name, rung));
    const limit = [...going].map(({ losses }) => losses[rung]!).sort((a, b) => a - b)[Math.floor(going.length / eta) - 1]!;
    going = going.filter(({ losses }) => losses[rung]! <= limit);
  }
  going.forEach(({ name }) => trainedTo.set(name, 36));
  return trainedTo;
}

describe.each([
  { eta: 3, of: rates, rungs: [4, 12], interruptions: [2, 9, 30] },
  { eta: 2, of: [0.003, 0.02, 0.05, 0.12], rungs: [9, 18], interruptions: [20] },
])('one in $eta of $of.length, interrupted after $interruptions steps', ({ eta, of, rungs, interruptions }) => {
  let folder: string;
  beforeAll(async () => {
    const runs = newFolder();
    folder = createSweep(runs, { name: 'sweep', config, parameters: { 'train.learning_rate': of }, halving: { eta } });
    await work(runs, interruptions);
  }, 120_000);

  test('the runs go as far as in a simulation, with the same losses as alone', () => {
    const trainedTo = simulated(eta, rungs, of.map(nameOf));
    const report = sweepReport(folder);
    expect(report).toMatchObject({ rungs, isComplete: true });
    expect(new Map(report.rows.map(({ name, step }) => [name, step]))).toEqual(trainedTo);
    for (const row of report.rows) {
      const isWhole = row.step === 36;
      expect(row).toMatchObject({ status: isWhole ? 'finished' : 'stopped', leftAtStep: isWhole ? null : row.step });
      const alone = whole.find(({ name }) => name === row.name)!;
      const [first, ...seen] = readMetrics(join(row.runId, 'metrics.jsonl')).filter((metric) => 'eval_loss' in metric);
      expect(first!.step).toBe(0);
      for (const { step, eval_loss } of seen) expect(eval_loss).toBe(alone.losses[step]);
      expect(row.heldOutLoss).toBe(Math.min(...seen.map(({ eval_loss }) => eval_loss)));
    }
    const left = report.rows.find(({ leftAtStep }) => leftAtStep === rungs[0])!;
    expect(RunDirectory.open(left.runId).readState().message).toMatch(
      new RegExp(
        `^Not trained further: after step ${rungs[0]}, .* the best ${Math.floor(of.length / eta)} of ${of.length}\\. Resume`,
      ),
    );
  });
});

describe('afterwards', () => {
  const three = [0.01, 0.05, 0.12];
  const request = { name: 'sweep', config, parameters: { 'train.learning_rate': three }, halving: { eta: 3 } };
  const stepsOf = (folder: string) => new Map(sweepReport(folder).rows.map(({ name, step }) => [name, step]));
  let [runs, folder, turns] = ['', '', [] as readonly string[]];
  let left: RunDirectory;
  beforeAll(async () => {
    runs = newFolder();
    folder = createSweep(runs, request);
    RunDirectory.create(join(runs, 'a'), config, { status: 'queued', queuedAt: new Date(Date.now() + 1000).toISOString() });
    turns = await work(runs);
    left = RunDirectory.open(sweepReport(folder).rows.find(({ leftAtStep }) => leftAtStep === 12)!.runId);
  }, 120_000);

  test('the runs of one rung came before the next, and what was queued later came last', () => {
    expect(turns.slice(0, 3)).toEqual(three.map(nameOf));
    expect(turns.slice(4)).toEqual(['a']);
  });

  test('a process that was killed between the decision and its consequences: the next one draws them', async () => {
    const { createdAt } = SweepFolder.open(folder).sweep;
    left.writeState({ ...left.readState(), status: 'queued', queuedAt: createdAt, message: null });
    await work(runs);
    expect(left.readState()).toMatchObject({ status: 'stopped', step: 12, queuedAt: null });
    expect(left.readState().message).toMatch(/^Not trained further/);
  });

  test('a run that was left and is resumed is trained to its end, and is not left again', async () => {
    enqueue(left);
    expect(sweepReport(folder)).toMatchObject({ isComplete: false });
    await work(runs, [5]);
    expect(left.readState()).toMatchObject({ status: 'finished', step: 36 });
    const alone = RunDirectory.create(join(newFolder(), 'alone'), left.readConfig());
    await trainRun(alone, { prepare: (config) => prepareFake(config) });
    expect(adapterOf(left.path)).toBe(adapterOf(alone.path));
    expect(sweepReport(folder).rows.find(({ runId }) => runId === left.path)).toMatchObject({ leftAtStep: null });
  });

  test('a sweep whose runs were stopped and resumed one by one still leaves what is worse', async () => {
    const runs = newFolder();
    const folder = createSweep(runs, request);
    for (const row of sweepReport(folder).rows.toReversed()) {
      const run = RunDirectory.open(row.runId);
      run.writeState({ ...run.readState(), status: 'stopped', queuedAt: null });
      await new Promise((resolve) => setTimeout(resolve, 2));
      enqueue(run);
    }
    await work(runs);
    expect(stepsOf(folder)).toEqual(simulated(3, [12], three.map(nameOf)));
  });
});

test('a run that fails is left out of the comparison', () => {
  expect(survivors([['a', 3], ['b', 1], ['c', 2], ['d', 1]], 2)).toEqual(['b', 'd']); // prettier-ignore
  expect(survivors([['a', 3], ['b', 1]], 3)).toEqual(['b']); // prettier-ignore
  expect(survivors([], 3)).toEqual([]);
});
