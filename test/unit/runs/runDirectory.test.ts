import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { StepMetric } from '../../../src/protocol/run.js';
import { appendMetric, cutMetricsAfter, metricsTail, readMetrics } from '../../../src/runs/metricsFile.js';
import { isAlive, ownIdentity } from '../../../src/runs/processIdentity.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { lockRun } from '../../../src/runs/runLock.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'runs-'));
});

const config = parseRunConfig('{"model": "/m", "data": {"path": "/d"}}', '/run.json');
const create = (name = 'run') => RunDirectory.create(join(folder, name), config);

/** A pid that is certainly no longer in use. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

describe('run directory', () => {
  test('what was created can be opened and read back', () => {
    const run = RunDirectory.open(create().path);
    expect(run.readConfig()).toEqual(config);
    expect(run.readState()).toMatchObject({ status: 'preparing', step: 0, pid: null });
    expect(run.readControl()).toBe('run');
    run.writeControl('pause');
    expect(run.readControl()).toBe('pause');
    expect(readdirSync(run.path).sort()).toEqual(['control.json', 'run.json', 'state.json']);
  });

  test('a foreign folder, an existing run and a file are left alone', () => {
    mkdirSync(join(folder, 'photos'));
    writeFileSync(join(folder, 'photos', 'cat.jpg'), '');
    expect(() => create('photos')).toThrowError(/photos is not empty/);
    create('run');
    expect(() => create('run')).toThrowError(/already contains a run: resume it/);
    writeFileSync(join(folder, 'file'), '');
    expect(() => create('file')).toThrowError(/choose another folder/);
  });

  test('a run whose process is gone, or whose pid now belongs to another, is interrupted', () => {
    const run = create();
    const me = ownIdentity();
    const running = { ...run.readState(), status: 'running' as const, step: 7 };
    run.writeState({ ...running, pid: me.pid, processStart: me.start });
    expect(run.readState().status).toBe('running');
    run.writeState({ ...running, pid: me.pid, processStart: 'another boot' });
    expect(run.readState()).toMatchObject({ status: 'interrupted', step: 7, pid: null });
    run.writeState({ ...running, pid: deadPid(), processStart: null });
    expect(run.readState().status).toBe('interrupted');
    run.writeState({ ...running, status: 'finished', pid: deadPid() });
    expect(run.readState().status).toBe('finished');
  });

  test('what is no run, or is damaged, is refused by name', () => {
    writeFileSync(create('broken').statePath, '{"status": "running"}');
    mkdirSync(join(folder, 'other'));
    expect(() => RunDirectory.open(join(folder, 'broken')).readState()).toThrowError(/state\.json is damaged/);
    expect(() => RunDirectory.open(join(folder, 'other'))).toThrowError(/is not a run directory/);
  });
});

describe('lock', () => {
  test('a second trainer is refused while the first lives, and let in afterwards', () => {
    const run = create();
    const lock = lockRun(run.path);
    expect(() => lockRun(run.path)).toThrowError(`is being trained by process ${process.pid}`);
    lock.release();
    lockRun(run.path).release();
    expect(readdirSync(run.path).sort()).toEqual(['run.json', 'state.json']);
  });

  test.each([
    ['of a dead process', () => JSON.stringify({ pid: deadPid(), start: 'long ago' })],
    ['of an earlier process with a pid now in use', () => JSON.stringify({ pid: process.pid, start: 'long ago' })],
    ['with nonsense in it', () => '{'],
  ])('a lock %s is taken over', (_, owner) => {
    const run = create();
    mkdirSync(join(run.path, 'lock'));
    writeFileSync(join(run.path, 'lock', 'owner.json'), owner());
    lockRun(run.path);
    expect(() => lockRun(run.path)).toThrowError('is being trained');
  });

  test.skipIf(process.platform !== 'linux')('a zombie is not alive', async () => {
    // sh starts a child, prints its pid and, before the child ends, becomes a program that never waits for it.
    const parent = spawn('sh', ['-c', 'sleep 0.2 & echo $!; exec sleep 30']);
    try {
      const pid = Number(await new Promise<string>((resolve) => parent.stdout.once('data', (data) => resolve(String(data)))));
      const stat = () => readFileSync(`/proc/${pid}/stat`, 'utf8');
      await expect.poll(stat).toMatch(/\) Z /);
      expect(isAlive({ pid, start: null })).toBe(false);
    } finally {
      parent.kill('SIGKILL');
    }
  });
});

describe('metrics', () => {
  const metric = (step: number): StepMetric => ({
    step,
    loss: 1 / step,
    learning_rate: 1e-4,
    grad_norm: 1,
    tokens: step * 100,
    tokens_per_second: 50,
    elapsed_seconds: step,
    peak_memory_bytes: 1e9,
  });

  test('what earlier versions did not measure may be missing, but is not something else', () => {
    const path = join(folder, 'metrics.jsonl');
    const measured = { ...metric(2), cpu_percent: 150, memory_bytes: 1e8 };
    appendMetric(path, metric(1));
    appendMetric(path, measured);
    appendMetric(path, { ...metric(3), cpu_percent: 'much' } as never);
    expect(readMetrics(path)).toEqual([metric(1), measured]);
  });

  test('a tail reads what was added since, and waits for the end of a half-written line', () => {
    const path = join(folder, 'metrics.jsonl');
    const tail = metricsTail(path);
    expect(tail.read()).toEqual({ replaced: false, lines: [], more: false });
    appendMetric(path, metric(1));
    appendMetric(path, { step: 1, eval_loss: 3 });
    const line = JSON.stringify(metric(2));
    appendFileSync(path, line.slice(0, 20));
    expect(tail.read()).toEqual({ replaced: false, lines: [metric(1), { step: 1, eval_loss: 3 }], more: false });
    expect(tail.read().lines).toEqual([]);
    appendFileSync(path, `${line.slice(20)}\n`);
    expect(tail.read().lines).toEqual([metric(2)]);
  });

  test('a long file comes in pieces, with nothing lost between them', () => {
    const path = join(folder, 'metrics.jsonl');
    const all = Array.from({ length: 50 }, (_, index) => metric(index + 1));
    for (const one of all) appendMetric(path, one);
    const tail = metricsTail(path, 700);
    const read = [];
    for (let news = tail.read(); ; news = tail.read()) {
      read.push(...news.lines);
      if (!news.more) break;
    }
    expect(read).toEqual(all);
  });

  test('resuming cuts what was logged after the checkpoint, and tells those who follow', () => {
    const path = join(folder, 'metrics.jsonl');
    appendMetric(path, { step: 0, eval_loss: 2 });
    for (let step = 1; step <= 5; step++) appendMetric(path, metric(step));
    appendMetric(path, { step: 3, eval_loss: 1 });
    appendFileSync(path, '{"step": 6, "lo');
    const tail = metricsTail(path);
    expect(tail.read().lines).toHaveLength(7);
    cutMetricsAfter(path, { step: 3, evaluatedStep: 0 });
    for (let step = 4; step <= 9; step++) appendMetric(path, metric(step));
    const news = tail.read();
    expect(news.replaced).toBe(true);
    expect(news.lines.map(({ step }) => step)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    rmSync(path);
    expect(tail.read().replaced).toBe(true);
  });

  test('lines that are no metrics are passed over', () => {
    const path = join(folder, 'metrics.jsonl');
    writeFileSync(path, `{"step":"<b>"}\nnull\n[1]\n${'x'.repeat(3000)}\n{"step":1,"loss":"2"}\n${JSON.stringify(metric(4))}\n`);
    expect(readMetrics(path)).toEqual([metric(4)]);
    const stuffed = join(folder, 'stuffed.jsonl');
    writeFileSync(stuffed, `${JSON.stringify({ ...metric(1), more: 'x'.repeat(5000) })}\n`);
    expect(readMetrics(stuffed)).toEqual([]);
    const tail = metricsTail(path, 1000);
    const read = [];
    for (let news = tail.read(); ; news = tail.read()) {
      read.push(...news.lines);
      if (!news.more) break;
    }
    expect(read).toEqual([metric(4)]);
  });
});
