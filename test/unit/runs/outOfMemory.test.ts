import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { readLatestCheckpoint, savedSteps } from '../../../src/runs/checkpoints.js';
import { bundleForNode } from './bundle.js';

const hasLimits = spawnSync('prlimit', ['--version']).status === 0;

const create = (steps: number, saveSteps: number): RunDirectory => {
  const folder = mkdtempSync(join(tmpdir(), 'memory-'));
  const settings = {
    model: 'random',
    data: { path: '.' },
    train: { max_steps: steps, save_steps: saveSteps, batch_size: 2, gradient_accumulation_steps: 1 },
    engine: { device: 'cpu', threads: 1, gradient_checkpointing: 'on' },
  };
  return RunDirectory.create(join(folder, 'run'), parseRunConfig(JSON.stringify(settings), folder));
};

test.runIf(hasLimits)(
  'a process that may take no more memory ends its run with one message, and the last whole step is saved',
  async () => {
    const run = create(3, 100);
    const program = await bundleForNode('outOfMemoryChild.ts');
    const { status, signal, stderr } = spawnSync(process.execPath, [program, run.path], { encoding: 'utf8' });
    expect(status, `${signal} ${stderr}`).toBe(1);
    const state = run.readState();
    expect(state).toMatchObject({ status: 'failed', step: 2 });
    expect(state.message).toMatch(
      /^Memory ran out \(std::bad_alloc\); [\d.]+ [MG]B was expected to be enough\. What would fit: train.batch_size 2 → 1 \(about [\d.]+ [MG]B\).*\. The checkpoint of step 2 is saved: resume the run with other settings of the engine; /,
    );
    expect(savedSteps(run.checkpointsPath)).toEqual([2]);
    expect(readLatestCheckpoint(run.checkpointsPath, () => undefined)?.record.progress.step).toBe(2);
  },
);

test.each([
  { when: 'while it loads', loadingMs: 60_000, hasBegun: (run: RunDirectory) => run.readState().ifKilled !== null },
  { when: 'amid training', loadingMs: 0, hasBegun: (run: RunDirectory) => savedSteps(run.checkpointsPath).length > 0 },
])(
  'a process that is killed $when, when memory was short, leaves words for whoever finds it gone',
  async ({ loadingMs, hasBegun }) => {
    const run = create(500, 1);
    const program = await bundleForNode('trainChild.ts');
    const child = spawn(process.execPath, [program, run.path, '20', 'memory is short', String(loadingMs)], { stdio: 'inherit' });
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    await expect.poll(() => hasBegun(run), { timeout: 40_000, interval: 5 }).toBe(true);
    expect(run.readState().message).toBe(null);
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    expect(run.readState()).toMatchObject({ status: 'interrupted', message: 'memory is short' });
  },
);
