import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { RunSummary } from '../../../src/protocol/backend.js';
import type { RunStatus } from '../../../src/protocol/run.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { BackendUnderTest, until } from './client.js';

let backend: BackendUnderTest;
let seen: Map<string, RunSummary>;
beforeEach(async () => {
  backend = new BackendUnderTest();
  await backend.initialize();
  seen = new Map();
  backend.on('loraWorkbench/runs/event', (event) => {
    if (event.kind === 'changed') seen.set(event.run.runId, event.run);
  });
});
afterEach(() => backend.stop());

const model = join(process.cwd(), 'test/fixtures/models/tiny-llama');
const endless = 100_000;

async function start(maxSteps: number): Promise<string> {
  const rows = Array.from({ length: 12 }, (_, i) => ({ instruction: `Say ${i}.`, input: '', output: `Here is ${i}.` }));
  writeFileSync(join(backend.folder, 'data.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const train = { max_steps: maxSteps, batch_size: 2, warmup_steps: 0, eval_steps: endless, save_steps: 20 };
  const config = { model, data: { path: 'data.jsonl', max_seq_length: 128 }, lora: { r: 2, dropout: 0 }, train };
  const path = join(backend.folder, 'run.json');
  return (await backend.request('loraWorkbench/runs/start', { config, path })).runId;
}

const status = (runId: string) => seen.get(runId)?.state.status;
const becomes = (runId: string, wanted: RunStatus) => until(`${runId} is ${wanted}`, () => status(runId) === wanted);
const stop = (runId: string) => backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
const stateOf = (runId: string) => RunDirectory.open(runId).readState();

test('runs that are started together are trained one after the other; one can go at once, others can leave', async () => {
  const [first, second, third, fourth] = [await start(endless), await start(3), await start(endless), await start(3)];
  await becomes(first, 'running');
  expect([second, third, fourth].map(status)).toEqual(['queued', 'queued', 'queued']);
  await backend.request('loraWorkbench/runs/dequeue', { runIds: [second] });
  await becomes(second, 'stopped');
  await backend.request('loraWorkbench/runs/startNow', { runId: third });
  await becomes(third, 'running');
  expect([first, fourth].map(status)).toEqual(['running', 'queued']);
  await stop(first);
  await becomes(first, 'stopped');
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(status(fourth), 'waits for what goes beside, too').toBe('queued');
  await backend.request('loraWorkbench/runs/resume', { runId: second });
  await stop(third);
  await becomes(fourth, 'finished');
  await becomes(second, 'finished');
  expect(stateOf(fourth).updatedAt < stateOf(second).updatedAt).toBe(true);
});

test('the queue goes on when its worker is killed and there is no backend to notice', async () => {
  const [first, second] = [await start(endless), await start(3)];
  await becomes(first, 'running');
  // The keeper is there once it holds the queue's log open beside the worker.
  await until('the keeper is there', () => processesOf(join(backend.folder, 'runs')).length === 2);
  await until('something is saved', () => existsSync(join(first, 'checkpoints')));
  // A second window finds both at work and adds nothing to them.
  const other = new BackendUnderTest();
  await other.initialize({ runsFolders: backend.settings.runsFolders });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(processesOf(join(backend.folder, 'runs'))).toHaveLength(2);
  other.stop();
  backend.kill();
  process.kill(stateOf(first).pid!, 'SIGKILL');
  const steps = readMetrics(join(first, 'metrics.jsonl')).length;
  await until('the run goes on', () => readMetrics(join(first, 'metrics.jsonl')).length > steps);
  expect(stateOf(first)).toMatchObject({ status: 'running', requeued: true });
  RunDirectory.open(first).writeControl('stop');
  await until('the next one is trained', () => stateOf(second).status === 'finished');
  await until('nothing of the queue is left', () => processesOf(join(backend.folder, 'runs')).length === 0);
});

/** The processes of the queue of a folder, on Linux. */
function processesOf(folder: string): number[] {
  const pids = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
  return pids.filter((pid) => {
    try {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
      return words.includes('queue') && words.includes(folder);
    } catch {
      return false;
    }
  });
}

test('a run for which no worker can be started fails and says why, instead of waiting forever', async () => {
  mkdirSync(join(backend.folder, 'runs'));
  writeFileSync(join(backend.folder, 'runs/.queue'), 'where its folder should be');
  const runId = await start(3);
  await becomes(runId, 'failed');
  expect(seen.get(runId)!.state.message).toContain(join('runs', '.queue', 'log.txt'));
});
