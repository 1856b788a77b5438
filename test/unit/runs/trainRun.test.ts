import { spawn, type ChildProcess } from 'node:child_process';
import fs, { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import type { Metric } from '../../../src/protocol/run.js';
import { readCheckpoint, readLatestCheckpoint, savedSteps, type CheckpointRecord } from '../../../src/runs/checkpoints.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun, type TrainRunOptions } from '../../../src/runs/trainRun.js';
import { bundleForNode } from './bundle.js';
import { fakeConfig, prepareFake, type FakeOptions } from './fakeRun.js';

let folder: string;
let unbroken: RunDirectory;

const create = (name: string, ...overrides: string[]) => RunDirectory.create(join(folder, name), fakeConfig(...overrides));
const train = (run: RunDirectory, options: FakeOptions = {}, signal?: AbortSignal) =>
  trainRun(run, { prepare: (config) => prepareFake(config, options), ...(signal && { signal }) });

/** What must not depend on interruptions: the adapters, the last checkpoint's tensors, the numbers logged at each step. */
function outcome(run: RunDirectory) {
  const bytes = (...path: string[]) => readFileSync(join(run.path, ...path)).toString('base64');
  return {
    adapter: bytes('adapter', 'adapter_model.safetensors'),
    best: bytes('adapter-best', 'adapter_model.safetensors'),
    state: bytes('checkpoints', 'step-40', 'state.safetensors'),
    metrics: readMetrics(run.metricsPath).map(withoutTimes),
  };
}

function withoutTimes(metric: Metric): object {
  if ('eval_loss' in metric) return metric;
  const { step, loss, learning_rate, grad_norm, tokens } = metric;
  return { step, loss, learning_rate, grad_norm, tokens };
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'train-'));
});
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'train-'));
  unbroken = create('unbroken');
  await train(unbroken);
});

test('a whole run leaves what docs/run-directory.md says', () => {
  expect(readdirSync(unbroken.path).sort()).toEqual([
    'adapter',
    'adapter-best',
    'checkpoints',
    'control.json',
    'log.txt',
    'metrics.jsonl',
    'run.json',
    'state.json',
    'tensorboard',
  ]);
  const state = unbroken.readState();
  expect(state).toMatchObject({
    status: 'finished',
    step: 40,
    totalSteps: 40,
    pid: null,
    device: 'fake',
    message: null,
  });
  const metrics = readMetrics(unbroken.metricsPath);
  const evaluations = metrics.flatMap((metric) => ('eval_loss' in metric ? [metric] : []));
  expect(evaluations.map(({ step }) => step)).toEqual([0, 6, 12, 18, 24, 30, 36, 40]);
  const steps = metrics.flatMap((metric) => ('loss' in metric ? [metric] : []));
  expect(steps).toHaveLength(40);
  // Leave some slack: the kernel counts its high-water mark in pages.
  for (const step of steps) expect(step.memory_bytes).toBeLessThan(1.05 * step.peak_memory_bytes);
  expect(steps.some((step) => step.cpu_percent! > 0)).toBe(true);
  const best = evaluations.slice(1).reduce((a, b) => (b.eval_loss < a.eval_loss ? b : a));
  expect(state).toMatchObject({ bestEvalLoss: best.eval_loss, bestStep: best.step });
  expect(savedSteps(unbroken.checkpointsPath)).toEqual([...new Set([best.step, 36, 40])].sort((a, b) => a - b));
  const config = JSON.parse(readFileSync(join(unbroken.adapterPath, 'adapter_config.json'), 'utf8')) as object;
  expect(config).toMatchObject({ peft_type: 'LORA', r: 8, lora_alpha: 16, target_modules: ['q_proj'] });
});

test('stopped through control.json and resumed, twice: the same bytes as unbroken', async () => {
  const run = create('stopped');
  for (const stopAt of [5, 17]) {
    const listener = { onMetric: (metric: Metric) => metric.step >= stopAt && run.writeControl('stop') };
    await trainRun(run, { prepare: (config) => prepareFake(config), listener });
    expect(run.readState()).toMatchObject({ status: 'stopped', step: stopAt, pid: null });
    expect(savedSteps(run.checkpointsPath)).toContain(stopAt);
  }
  await train(run);
  expect(outcome(run)).toEqual(outcome(unbroken));
});

test('left after some steps and gone on with, twice: the same bytes as unbroken, with one more evaluation each time', async () => {
  const run = RunDirectory.create(join(folder, 'left'), fakeConfig(), { status: 'queued', queuedAt: '2026-01-01T00:00:00.000Z' });
  for (const step of [5, 17]) {
    const state = await trainRun(run, { prepare: (config) => prepareFake(config), fromQueue: true, leaveAfter: () => step });
    expect(state).toMatchObject({ status: 'queued', step, pid: null, queuedAt: '2026-01-01T00:00:00.000Z' });
    expect(readMetrics(run.metricsPath).at(-1)).toMatchObject({ step, eval_loss: expect.any(Number) as number });
  }
  await trainRun(run, { prepare: (config) => prepareFake(config), fromQueue: true });
  const { metrics, ...bytes } = outcome(run);
  const asUsual = metrics.filter(
    (metric) => !('eval_loss' in metric && 'step' in metric && [5, 17].includes(Number(metric.step))),
  );
  expect({ ...bytes, metrics: asUsual }).toEqual(outcome(unbroken));
  expect(metrics).toHaveLength(asUsual.length + 2);
  const { bestEvalLoss, bestStep } = unbroken.readState();
  expect(run.readState()).toMatchObject({ status: 'finished', bestEvalLoss, bestStep });
});

test('paused through control.json: a checkpoint is saved, nothing moves, and it goes on where it was', async () => {
  const run = create('paused');
  const listener = { onMetric: (metric: Metric) => metric.step === 7 && run.writeControl('pause') };
  const training = trainRun(run, { prepare: (config) => prepareFake(config), listener });
  await expect.poll(() => run.readState().status).toBe('paused');
  expect(run.readState().step).toBe(7);
  expect(savedSteps(run.checkpointsPath)).toContain(7);
  run.writeControl('run');
  expect((await training).status).toBe('finished');
  expect(outcome(run)).toEqual(outcome(unbroken));
});

test.each([
  { what: 'a device', error: new UserError('device-failed', 'The GPU failed: device lost.') },
  { what: 'a defect', error: new Error('released twice') },
])('$what that fails while a finished run is disposed of: logged, and the run stays finished', async ({ what, error }) => {
  const run = create(`disposal of ${what}`);
  let prepared = 0;
  const prepare: TrainRunOptions['prepare'] = async (config) => {
    prepared++;
    return { ...(await prepareFake(config)), dispose: () => Promise.reject(error) };
  };
  expect((await trainRun(run, { prepare })).status).toBe('finished');
  expect(prepared).toBe(1);
  expect(run.readState()).toMatchObject({ status: 'finished', message: null });
  expect(outcome(run)).toEqual(outcome(unbroken));
  expect(readFileSync(run.logPath, 'utf8')).toContain(error.message);
});

describe('a real process', () => {
  const children: ChildProcess[] = [];
  let program: string;

  beforeAll(async () => {
    program = await bundleForNode('trainChild.ts');
  });
  afterEach(() => children.forEach((child) => child.kill('SIGKILL')));

  function start(run: RunDirectory, delay: number): { child: ChildProcess; ended: Promise<number | string | null> } {
    const child = spawn(process.execPath, [program, run.path, String(delay)], { stdio: 'inherit' });
    children.push(child);
    return { child, ended: new Promise((resolve) => child.on('exit', (code, signal) => resolve(signal ?? code))) };
  }

  test('killed with -9 again and again, then resumed: the same bytes as unbroken', async () => {
    // Save at every step, so that a kill often interrupts a save.
    const run = create('killed', 'train.save_steps=1');
    for (let step = 5; step <= 35; step += 6) {
      const { child, ended } = start(run, 1);
      await expect
        .poll(() => readMetrics(run.metricsPath).at(-1)?.step ?? 0, { timeout: 20_000, interval: 3 })
        .toBeGreaterThan(step);
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      expect(run.readState().status).toBe('interrupted');
      // Whatever was being written, the newest checkpoint is whole.
      const latest = readLatestCheckpoint(run.checkpointsPath, (message) => expect.fail(message));
      expect(latest!.record.progress.step).toBeGreaterThan(step - 6);
    }
    expect(await start(run, 0).ended).toBe(0);
    expect(run.readState()).toMatchObject({ status: 'finished', step: 40 });
    expect(readdirSync(run.checkpointsPath).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(outcome(run)).toEqual(outcome(unbroken));
  });

  test('SIGTERM: a checkpoint of the step just done, status stopped; a second trainer is refused meanwhile', async () => {
    const run = create('terminated');
    const { child, ended } = start(run, 10);
    await expect.poll(() => readMetrics(run.metricsPath).at(-1)?.step ?? 0, { timeout: 20_000 }).toBeGreaterThan(4);
    await expect(train(run)).rejects.toMatchObject({ code: 'run-busy' });
    expect(run.readState().status).toBe('running');
    child.kill('SIGTERM');
    expect(await ended).toBe(0);
    const { status, step } = run.readState();
    expect(status).toBe('stopped');
    expect(savedSteps(run.checkpointsPath).at(-1)).toBe(step);
    await train(run);
    expect(outcome(run)).toEqual(outcome(unbroken));
  });
});

describe('a disk that fails while saving', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  /** Lets the first `allowed` calls of a file-system function pass, then fails every call as a full disk does. */
  function failAfter(name: 'writeSync' | 'fsyncSync' | 'renameSync' | 'mkdirSync', allowed: number): void {
    const real = fs[name] as (...args: unknown[]) => unknown;
    let calls = 0;
    vi.spyOn(fs, name).mockImplementation((...args: unknown[]) => {
      if (calls++ < allowed) return real(...args) as never;
      throw Object.assign(new Error(`ENOSPC: no space left on device`), { code: 'ENOSPC' });
    });
    syncBuiltinESMExports();
  }

  const moments = (['writeSync', 'fsyncSync', 'renameSync'] as const).flatMap((name) =>
    Array.from({ length: 6 }, (_, index) => [name, 2 + index * 5] as const),
  );

  test.each(moments)(
    '%s, after %i calls: one clear error, earlier checkpoints whole, and a resumed run ends the same',
    async (name, allowed) => {
      const run = create('full');
      failAfter(name, allowed);
      const error: unknown = await train(run).catch((reason: unknown) => reason);
      vi.restoreAllMocks();
      syncBuiltinESMExports();
      expect(error).toMatchObject({ code: 'file-write-failed', message: expect.stringContaining('the disk is full') });
      for (const step of savedSteps(run.checkpointsPath)) {
        expect(readCheckpoint(join(run.checkpointsPath, `step-${step}`)).record.progress.step).toBe(step);
      }
      await train(run);
      expect(outcome(run)).toEqual(outcome(unbroken));
    },
  );
});

test('a damaged newest checkpoint is passed over for the one before, and replaced when the run comes there again', async () => {
  const run = create('damaged', 'train.max_steps=12');
  await train(run);
  const [earlier, newest] = savedSteps(run.checkpointsPath).slice(-2);
  writeFileSync(join(run.checkpointsPath, `step-${newest}`, 'trainer.json'), '{');
  const heard: string[] = [];
  expect(readLatestCheckpoint(run.checkpointsPath, (message) => heard.push(message))!.record.progress.step).toBe(earlier);
  expect(heard).toEqual([expect.stringContaining(`step-${newest}`)]);
  await train(run);
  expect(readLatestCheckpoint(run.checkpointsPath, () => expect.unreachable())!.record.progress.step).toBe(newest);
});

test('how the base was held is told when the run is resumed, and never before there is a checkpoint', async () => {
  const run = create('precision', 'train.max_steps=8');
  const resumedDType: (string | null)[] = [];
  const prepare: TrainRunOptions['prepare'] = (config, _, before) => {
    resumedDType.push(before);
    return prepareFake(config, { baseDType: 'int4' });
  };
  await trainRun(run, { prepare });
  await trainRun(run, { prepare });
  expect(resumedDType).toEqual([null, 'int4']);
});

test('a checkpoint of an earlier version, which tells neither how the base was held nor what was evaluated, is gone on from', async () => {
  const run = create('earlier');
  const listener = { onMetric: (metric: Metric) => metric.step === 6 && 'eval_loss' in metric && run.writeControl('stop') };
  await trainRun(run, { prepare: (config) => prepareFake(config), listener });
  const record = join(run.checkpointsPath, 'step-6', 'trainer.json');
  const { progress, ...rest } = JSON.parse(readFileSync(record, 'utf8')) as CheckpointRecord;
  const earlier = { ...rest, baseDType: undefined, progress: { ...progress, evaluatedStep: undefined } };
  writeFileSync(record, JSON.stringify(earlier));
  await train(run);
  expect(outcome(run)).toEqual(outcome(unbroken));
});

describe('a run that is no longer the same is not resumed', () => {
  test.each([
    ['the training data', [], { dataFingerprint: 'other' }, /training data.*changed/],
    ['the seed', ['train.seed=1'], {}, /train\.seed changed/],
    ['the adapter', [], { parameters: 3 }, /rank, target modules or layers changed/],
  ])('%s', async (_, overrides, options, message) => {
    const run = create('changed', 'train.max_steps=8');
    await train(run);
    writeFileSync(run.configPath, JSON.stringify(fakeConfig('train.max_steps=16', ...overrides)));
    await expect(train(run, options)).rejects.toThrowError(message);
    expect(run.readState()).toMatchObject({ status: 'failed', message: expect.stringMatching(message) });
  });

  test('more steps are no change', async () => {
    const run = create('longer', 'train.max_steps=8');
    await train(run);
    writeFileSync(run.configPath, JSON.stringify(fakeConfig('train.max_steps=16')));
    expect(await train(run)).toMatchObject({ status: 'finished', step: 16 });
  });
});

test('a failure while preparing is written down, and the lock is released', async () => {
  const run = create('unprepared');
  const prepare = () => Promise.reject(new Error('boom'));
  await expect(trainRun(run, { prepare })).rejects.toThrowError('boom');
  expect(run.readState()).toMatchObject({ status: 'failed', message: 'internal: Error: boom', pid: null });
  expect(existsSync(join(run.path, 'lock'))).toBe(false);
});
