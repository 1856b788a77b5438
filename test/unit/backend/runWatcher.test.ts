import fs, { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RunFollowers } from '../../../src/backend/runFollowers.js';
import { RunWatcher } from '../../../src/backend/runWatcher.js';
import type { RunStatus } from '../../../src/protocol/run.js';
import { LinesTail } from '../../../src/runs/jsonLines.js';
import { ownIdentity } from '../../../src/runs/processIdentity.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { fakeConfig } from '../runs/fakeRun.js';

let folder: string;
let runs: RunDirectory[];
/** The published changes, as `NAME STATUS`. */
let told: string[];
let watcher: RunWatcher;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'watched-'));
  runs = Array.from({ length: 20 }, (_, index) => RunDirectory.create(join(folder, `run-${index}`), fakeConfig()));
  runs.forEach((run) => become(run, 'finished'));
  told = [];
  watcher = new RunWatcher(
    [folder],
    (event) => {
      if (event.kind === 'changed') told.push(`${event.run.runId.split(/[/\\\\]/).at(-1)} ${event.run.state.status}`);
    },
    500,
    5,
  );
  watcher.poll();
  told.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  syncBuiltinESMExports();
  rmSync(folder, { recursive: true });
});

function become(run: RunDirectory, status: RunStatus): void {
  const { pid, start } = ownIdentity();
  const process = status === 'running' ? { pid, processStart: start } : { pid: null, processStart: null };
  run.writeState({ ...run.readState(), ...process, status });
}

/** The number of runs whose state one poll checks. */
function lookedAt(): number {
  const stat = vi.spyOn(fs, 'statSync');
  syncBuiltinESMExports();
  watcher.poll();
  const count = stat.mock.calls.filter(([path]) => String(path).endsWith('state.json')).length;
  stat.mockRestore();
  syncBuiltinESMExports();
  return count;
}

test('of runs at rest a few have their turn at each look, however many there are; all have it before one has it again', () => {
  expect(Array.from({ length: 6 }, lookedAt)).toEqual([5, 5, 5, 5, 5, 5]);
  runs.forEach((run) => become(run, 'stopped'));
  for (let look = 0; look < 4; look++) watcher.poll();
  expect(told).toHaveLength(20);
  expect(new Set(told).size).toBe(20);
});

test('a run that is resumed from elsewhere is found in its turn, and from then on looked at every time', () => {
  const [, , , , , , run] = runs;
  become(run!, 'running');
  for (let look = 0; look < 4; look++) watcher.poll();
  expect(told).toEqual(['run-6 running']);
  expect(watcher.isLive(run!.path)).toBe(true);
  for (const status of ['paused', 'running', 'finished'] as const) {
    become(run!, status);
    watcher.poll();
  }
  expect(told.at(-1)).toBe('run-6 finished');
});

test('new runs, and those that this window acts on, wait for no turn', () => {
  const added = RunDirectory.create(join(folder, 'added'), fakeConfig());
  watcher.attend(runs[19]!.path);
  expect(told).toEqual(['added preparing']);
  become(runs[19]!, 'stopped');
  become(added, 'running');
  watcher.poll();
  expect(told.slice(1).sort()).toEqual(['added running', 'run-19 stopped']);
  rmSync(added.path, { recursive: true });
  watcher.poll();
  expect(watcher.has(added.path)).toBe(false);
});

test('the runs of a sweep are found in its folder; of those that wait, all are looked at every time', () => {
  const sweep = join(folder, 'sweep');
  mkdirSync(join(sweep, '.unfinished'), { recursive: true });
  const waiting = ['r=2', 'r=4'].map((name) => RunDirectory.create(join(sweep, name), fakeConfig(), { status: 'queued' }));
  watcher.poll();
  expect(told, 'no sweep without sweep.json').toEqual([]);
  writeFileSync(join(sweep, 'sweep.json'), '{}');
  watcher.poll();
  expect(told).toEqual(['r=2 queued', 'r=4 queued']);
  expect(waiting.map(({ path }) => watcher.get(path)!.sweepId)).toEqual([sweep, sweep]);
  expect(watcher.get(runs[0]!.path)!.sweepId).toBe(null);
  for (const run of waiting) become(run, 'running');
  watcher.poll();
  expect(told.slice(2)).toEqual(['r=2 running', 'r=4 running']);
});

test('a state that was written within the same tick of the clock as the one before it is seen', () => {
  const run = runs[0]!;
  const tick = new Date();
  utimesSync(run.statePath, tick, tick);
  watcher.attend(run.path);
  become(run, 'paused');
  utimesSync(run.statePath, tick, tick);
  watcher.poll();
  expect(told).toEqual(['run-0 paused']);
});

test('what a run at rest wrote is looked at once a second, that of a live one ten times', () => {
  vi.useFakeTimers();
  const read = vi.spyOn(LinesTail.prototype, 'read').mockReturnValue({ replaced: false, lines: [], more: false });
  let live = false;
  const nobody = () => undefined;
  const followers = new RunFollowers({ isLive: () => live, sendMetrics: nobody, sendSamples: nobody });
  const readsIn = (ms: number): number => {
    read.mockClear();
    vi.advanceTimersByTime(ms);
    return read.mock.calls.length / 2; // metrics and samples
  };
  followers.follow(runs[0]!.path, 'a');
  expect(readsIn(10_000)).toBe(10);
  live = true;
  readsIn(1000);
  expect(readsIn(10_000)).toBe(100);
  live = false;
  readsIn(1000);
  expect(readsIn(10_000)).toBe(10);
  followers.stop();
  expect(readsIn(10_000)).toBe(0);
});
