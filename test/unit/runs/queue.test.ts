import { spawn, type ChildProcess } from 'node:child_process';
import fs, { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { RunState } from '../../../src/protocol/run.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { dequeue, enqueue, queuedRuns, takeForTraining } from '../../../src/runs/queue/queue.js';
import { hasWorker } from '../../../src/runs/queue/queueLock.js';
import type { QueuedSweeps } from '../../../src/runs/queue/queuedSweeps.js';
import { workQueue } from '../../../src/runs/queue/workQueue.js';
import { ownIdentity } from '../../../src/runs/processIdentity.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { bundleForNode } from './bundle.js';
import { fakeConfig, noSweeps, prepareFake } from './fakeRun.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'queue-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const minute = (number: number) => `2026-01-01T00:${String(number).padStart(2, '0')}:00.000Z`;

function queued(name: string, state: Partial<RunState> = {}, ...overrides: string[]): RunDirectory {
  const config = fakeConfig('train.max_steps=6', ...overrides);
  return RunDirectory.create(join(folder, name), config, { status: 'queued', queuedAt: minute(1), ...state });
}

const status = (run: RunDirectory) => run.readState().status;

interface Work {
  readonly sweeps?: QueuedSweeps;
  readonly signal?: AbortSignal;
  /** Called before each run. */
  onTurn?(name: string): void;
}

/** Works the queue in this process; returns the names of the runs in the order in which they were trained, and what was said. */
async function work({ sweeps = noSweeps, signal = new AbortController().signal, onTurn }: Work = {}) {
  const [turns, notes]: [string[], string[]] = [[], []];
  await workQueue(folder, {
    train(run) {
      turns.push(run.name);
      onTurn?.(run.name);
      return trainRun(run, { prepare: (config) => prepareFake(config), fromQueue: true, signal });
    },
    sweeps,
    note: (text) => notes.push(text),
    signal,
  });
  return { turns, notes };
}

test('first come, first served; of those that came together the least trained, then by name as people count', async () => {
  queued('late', { queuedAt: minute(2) });
  queued('run-10');
  queued('run-9');
  queued('begun', { step: 3 });
  const { turns } = await work();
  expect(turns).toEqual(['run-9', 'run-10', 'begun', 'late']);
  expect(queuedRuns(folder)).toEqual([]);
  expect(hasWorker(folder)).toBe(false);
  for (const name of turns) {
    const state = RunDirectory.open(join(folder, name)).readState();
    expect(state).toMatchObject({ status: 'finished', step: 6, queuedAt: null });
  }
});

test('a run that is stopped does not stop the queue; after one that fails, a fresh process goes on', async () => {
  const stopped = queued('a');
  const failed = queued('b');
  writeFileSync(failed.configPath, '{');
  const last = queued('c');
  stopped.writeControl('stop'); // given while it waited
  expect((await work()).turns).toEqual(['a', 'b']);
  expect([status(stopped), status(failed), status(last)]).toEqual(['stopped', 'failed', 'queued']);
  expect((await work()).turns).toEqual(['c']);
  expect(status(last)).toBe('finished');
});

test('one process never trains on two bases', async () => {
  queued('a');
  queued('b', {}, 'engine.threads=1');
  queued('c', {}, 'engine.threads=1');
  expect((await work()).turns).toEqual(['a']);
  expect((await work()).turns).toEqual(['b', 'c']);
});

test('told to end, it leaves its run where it stands: in its old place, paused if it was paused', async () => {
  const [run, other] = [queued('a'), queued('b')];
  const controller = new AbortController();
  run.writeControl('pause');
  const working = work({ signal: controller.signal });
  await expect.poll(() => status(run)).toBe('paused');
  controller.abort();
  expect((await working).turns).toEqual(['a']);
  expect(run.readState()).toMatchObject({ status: 'queued', queuedAt: minute(1), pid: null });
  expect(run.readControl()).toBe('pause');
  expect(queuedRuns(folder).map(({ run: { name } }) => name)).toEqual(['a', 'b']);
  expect(status(other)).toBe('queued');
});

test.skipIf(process.platform !== 'linux')(
  'it waits while another process trains in the folder, also when that run is paused, and says for what',
  async () => {
    queued('a');
    const other = RunDirectory.create(join(folder, 'by hand'), fakeConfig());
    const parent = { pid: process.ppid, start: null };
    other.writeState({ ...other.readState(), status: 'paused', pid: parent.pid, processStart: startOf(parent.pid) });
    const working = work();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(status(RunDirectory.open(join(folder, 'a')))).toBe('queued');
    other.writeState({ ...other.readState(), status: 'stopped', pid: null });
    const { turns, notes } = await working;
    expect(turns).toEqual(['a']);
    expect(notes[0]).toBe('a waits until by hand has ended (paused).');
  },
);

/** As processIdentity.ts finds it. */
function startOf(pid: number): string {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19];
  return `${ownIdentity().start!.split(' ')[0]} ${ticks}`;
}

test('what leaves the queue is not trained, and what comes back is last; both keep what was learned', async () => {
  const [first, second, third] = [queued('a'), queued('b'), queued('c')];
  const { turns } = await work({
    onTurn(name) {
      if (name !== 'a') return;
      dequeue(second!); // removed while it waits
      dequeue(first!); // and at the moment in which its turn has come
    },
  });
  expect(turns).toEqual(['a', 'c']);
  expect(second!.readState()).toMatchObject({ status: 'stopped', queuedAt: null });
  expect(first!.readState()).toMatchObject({ status: 'stopped', step: 0 });
  for (const run of [second!, first!]) enqueue(run);
  expect(queuedRuns(folder).map(({ run }) => run.name)).toEqual(['b', 'a']);
  expect(takeForTraining(second!)).toBe(true);
  expect(takeForTraining(third!)).toBe(false);
  expect((await work()).turns).toEqual(['a']);
  expect(status(first!)).toBe('finished');
});

test('runs of a sweep lie in its folder; it is asked how far they go, and told when they were there', async () => {
  mkdirSync(join(folder, 'sweep'));
  writeFileSync(join(folder, 'sweep/sweep.json'), '{}');
  const told: string[] = [];
  const runs = [queued('sweep/r=2'), queued('alone')];
  const sweeps: QueuedSweeps = {
    stepLimitOf: () => null,
    async afterRun(run) {
      told.push(run);
      throw new Error('cannot be compared');
    },
  };
  const { notes } = await work({ sweeps });
  expect(runs.map(status)).toEqual(['finished', 'finished']);
  expect(told).toEqual([runs[1]!.path, runs[0]!.path]);
  expect(notes.join('\n')).toContain('cannot be compared');
});

describe('a full disk', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    syncBuiltinESMExports();
  });

  test.each([0, 3, 12, 40])(
    'after %i more writes: nothing is lost, and with room again the queue goes on to its end',
    async (allowed) => {
      const runs = [queued('a'), queued('b')];
      const real = fs.writeSync as (...args: unknown[]) => number;
      let calls = 0;
      vi.spyOn(fs, 'writeSync').mockImplementation((...args: unknown[]) => {
        if (calls++ < allowed) return real(...args);
        throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', syscall: 'write' });
      });
      syncBuiltinESMExports();
      for (let worker = 0; worker < 4; worker++) await work().catch(() => undefined);
      vi.restoreAllMocks();
      syncBuiltinESMExports();
      for (const run of runs) if (status(run) === 'failed') enqueue(run);
      // This process is alive, so to its readers the runs that it could not record as failed are still being trained.
      for (const run of runs) {
        const state = run.readState();
        if (state.pid !== null) run.writeState({ ...state, pid: 2 ** 22 + 1 });
      }
      while (queuedRuns(folder).length > 0 || runs.some((run) => status(run) === 'interrupted')) await work();
      expect(runs.map(status)).toEqual(['finished', 'finished']);
    },
  );
});

describe('real processes', () => {
  const children: ChildProcess[] = [];
  let program: string;
  beforeAll(async () => {
    program = await bundleForNode('queueChild.ts');
  });
  afterEach(() => children.splice(0).forEach((child) => child.kill('SIGKILL')));

  function start(delay: number) {
    const child = spawn(process.execPath, [program, folder, String(delay)], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    let said = '';
    child.stdout!.on('data', (data) => (said += String(data)));
    const ended = new Promise<string[]>((resolve) => child.once('close', () => resolve(said.trim().split('\n').filter(Boolean))));
    return { child, ended };
  }

  const hasReached = (run: RunDirectory, step: number) =>
    expect.poll(() => readMetrics(run.metricsPath).at(-1)?.step ?? 0, { timeout: 20_000, interval: 3 }).toBeGreaterThan(step);

  const adapterOf = (run: RunDirectory) => readFileSync(join(run.adapterPath, 'adapter_model.safetensors')).toString('base64');

  test('killed with -9, the next worker puts its run back, once; the bytes are those of an unbroken run', async () => {
    const unbroken = RunDirectory.create(join(folder, 'unbroken'), fakeConfig());
    await trainRun(unbroken, { prepare: (config) => prepareFake(config) });
    const [run, next] = [queued('a', {}, 'train.max_steps=40'), queued('b', { queuedAt: minute(2) }, 'train.max_steps=40')];
    for (const expected of [{ requeued: false }, { requeued: true }]) {
      const { child, ended } = start(10);
      await hasReached(run, expected.requeued ? 20 : 5);
      expect(run.readState()).toMatchObject({ status: 'running', ...expected });
      child.kill('SIGKILL');
      expect(await ended).toEqual(['a']);
    }
    expect(readFileSync(run.logPath, 'utf8').split('is gone. It waits in the queue again')).toHaveLength(2);
    expect(await start(0).ended).toEqual(['b']);
    expect([status(run), status(next)]).toEqual(['interrupted', 'finished']);
    enqueue(run);
    expect(await start(0).ended).toEqual(['a']);
    expect(run.readState()).toMatchObject({ status: 'finished', requeued: false });
    expect(adapterOf(run)).toBe(adapterOf(unbroken));
    expect(adapterOf(next)).toBe(adapterOf(unbroken));
  });

  test('a run that was told to stop, or whose memory ran out, is not put back', async () => {
    const [stopped, starved] = ['a', 'b'].map((name) => queued(name, {}, 'train.max_steps=40'));
    for (const run of [stopped!, starved!]) {
      const { child, ended } = start(10);
      await hasReached(run, 3);
      child.kill('SIGKILL');
      await ended;
      // As if it had been killed before it could obey, or had said in advance what would kill it.
      if (run === stopped) run.writeControl('stop');
      else run.writeState({ ...rawState(run), ifKilled: 'memory is short' });
    }
    expect(await start(0).ended).toEqual([]);
    expect(status(stopped!)).toBe('stopped');
    expect(starved!.readState()).toMatchObject({ status: 'interrupted', message: 'memory is short' });
  });

  test('of six workers that start at once one works; every run is trained once', async () => {
    const runs = Array.from({ length: 4 }, (_, index) => queued(`run-${index}`));
    const ends = await Promise.all(Array.from({ length: 6 }, () => start(1).ended));
    const turns = ends.flat().filter((word) => word !== 'run-busy');
    expect(turns.sort()).toEqual(['run-0', 'run-1', 'run-2', 'run-3']);
    expect(runs.map(status)).toEqual(Array(4).fill('finished'));
    // Nobody trained beside another: each run has ended before the next begins.
    const times = runs.map((run) =>
      readFileSync(run.logPath, 'utf8')
        .trim()
        .split('\n')
        .map((line) => line.slice(0, 24)),
    );
    for (const [index, lines] of times.entries()) if (index > 0) expect(lines[0]! >= times[index - 1]!.at(-1)!).toBe(true);
  });
});

function rawState(run: RunDirectory): RunState {
  return JSON.parse(readFileSync(run.statePath, 'utf8')) as RunState;
}
