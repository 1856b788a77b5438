import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import type { FollowedMetrics, RunSummary } from '../../../src/protocol/backend.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { ownIdentity } from '../../../src/runs/processIdentity.js';
import { BackendUnderTest, until } from './client.js';

let backend: BackendUnderTest;
beforeEach(() => {
  backend = new BackendUnderTest();
});
afterEach(() => backend.stop());

const model = join(process.cwd(), 'test/fixtures/models/tiny-llama');

function configText(settings: Record<string, unknown> = {}) {
  const rows = Array.from({ length: 12 }, (_, i) => ({ instruction: `Say ${i}.`, input: '', output: `Here is ${i}.` }));
  const data = join(backend.folder, 'data.jsonl');
  writeFileSync(data, rows.map((row) => JSON.stringify(row)).join('\n'));
  const train = { max_steps: 6, batch_size: 2, warmup_steps: 0, eval_steps: 3, save_steps: 3, ...settings };
  const config = { model, data: { path: 'data.jsonl', max_seq_length: 128 }, lora: { r: 2, dropout: 0 }, train };
  return { config, path: join(backend.folder, 'run.json') };
}

test('refuses an extension that speaks another protocol, naming both versions', async () => {
  await expect(backend.initialize({ protocolVersion: 99 })).rejects.toThrow(/protocol 99, this backend \d+/);
});

test('trains a run to its end and tells about it; followers get what metrics.jsonl holds', async () => {
  await backend.initialize();
  const seen = new Map<string, RunSummary>();
  const sequence: number[] = [];
  backend.on('loraWorkbench/runs/event', (event) => {
    sequence.push(event.seq);
    if (event.kind === 'changed') seen.set(event.run.runId, event.run);
  });
  const pieces: FollowedMetrics[] = [];
  backend.on('loraWorkbench/runs/metrics', (piece) => pieces.push(piece));

  const { runId } = await backend.request('loraWorkbench/runs/start', configText());
  await backend.request('loraWorkbench/runs/follow', { runId, followId: 'f' });
  const run = await until('the run finishes', () => seen.get(runId)?.state.status === 'finished' && seen.get(runId));
  expect(run).toMatchObject({ hasAdapter: true, state: { step: 6, totalSteps: 6 }, lastStep: { step: 6 } });
  expect(sequence).toEqual(sequence.map((_, index) => index + 1));

  const onDisk = readMetrics(join(runId, 'metrics.jsonl'));
  await until('the follower has caught up', () => pieces.flatMap(({ metrics }) => metrics).length >= onDisk.length);
  const first = pieces.findLastIndex(({ replaced }) => replaced);
  expect(pieces.slice(first).flatMap(({ metrics }) => metrics)).toEqual(onDisk);

  const { adapters } = await backend.request('loraWorkbench/models/list', null);
  const made = { name: run.name, run: { dataPath: run.dataPath, heldOutLoss: run.state.bestEvalLoss } };
  expect(adapters).toContainEqual(expect.objectContaining({ path: join(runId, 'adapter'), rank: 2, baseModel: model, ...made }));
  expect(adapters.map(({ name }) => name).sort()).toEqual([run.name, `${run.name} (best)`]);
  const times = adapters.map(({ modifiedAt }) => modifiedAt);
  expect(times, 'newest first').toEqual(times.toSorted((a, b) => b - a));
});

test('a run that leaves the device open takes the one of the settings', async () => {
  await backend.initialize({ device: 'cpu' });
  let ended = false;
  backend.on('loraWorkbench/runs/event', (event) => {
    if (event.kind === 'changed') ended = event.run.state.status === 'finished';
  });
  const { runId } = await backend.request('loraWorkbench/runs/start', configText({ max_steps: 1 }));
  const { engine } = await backend.request('loraWorkbench/runs/config', { runId });
  expect(engine.device).toBe('cpu');
  await until('the run finishes', () => ended);
});

/** The latest reported state of each run. */
function watched(): Map<string, RunSummary> {
  const seen = new Map<string, RunSummary>();
  backend.on('loraWorkbench/runs/event', (event) => {
    if (event.kind === 'changed') seen.set(event.run.runId, event.run);
  });
  return seen;
}

test('a run is called by what it is, until it is named; its labels change nothing else', async () => {
  await backend.initialize();
  const seen = watched();
  const { runId } = await backend.request('loraWorkbench/runs/start', configText({ max_steps: 1 }));
  const run = await until('the run finishes', () => seen.get(runId)?.state.status === 'finished' && seen.get(runId));
  expect(run).toMatchObject({ name: 'data · tiny-llama · r2', rank: 2, firstEvalLoss: expect.any(Number) });
  const labels = { name: 'first try', tags: ['short'], note: 'Too short.' };
  await backend.request('loraWorkbench/runs/label', { runId, labels });
  expect(await until('the name is told', () => seen.get(runId)?.name === 'first try' && seen.get(runId))).toEqual({
    ...run,
    name: 'first try',
    labels,
  });
  const adapterNames = async () => (await backend.request('loraWorkbench/models/list', null)).adapters.map(({ name }) => name);
  expect(await adapterNames()).toContain('first try');
  await backend.request('loraWorkbench/runs/label', { runId, labels: { ...labels, name: null } });
  await until('the old name is back', () => seen.get(runId)?.name === 'data · tiny-llama · r2');
});

test('a stop and a pause that are given while a run starts are not lost', async () => {
  await backend.initialize();
  const seen = watched();
  const { runId } = await backend.request('loraWorkbench/runs/start', configText({ max_steps: 100_000 }));
  await backend.request('loraWorkbench/runs/control', { runId, command: 'pause' });
  await until('the run is paused', () => seen.get(runId)?.state.status === 'paused');
  expect(seen.get(runId)!.state.step).toBe(0);
  await backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
  await until('the run is stopped', () => seen.get(runId)?.state.status === 'stopped');
  await backend.request('loraWorkbench/runs/resume', { runId });
  await until('a command to the process before is not obeyed again', () => (seen.get(runId)?.state.step ?? 0) > 0);
  await backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
  await until('the run is stopped again', () => seen.get(runId)?.state.status === 'stopped');
});

test('a run that another process holds is not resumed before it is let go, and that process is named', async () => {
  await backend.initialize();
  const seen = watched();
  const { runId } = await backend.request('loraWorkbench/runs/start', configText({ max_steps: 1 }));
  await until('the run finishes', () => seen.get(runId)?.state.status === 'finished');
  await until('its process lets go of it', () => !existsSync(join(runId, 'lock')));
  mkdirSync(join(runId, 'lock')); // held by a living process: this one
  writeFileSync(join(runId, 'lock/owner.json'), JSON.stringify(ownIdentity()));
  await expect(backend.request('loraWorkbench/runs/resume', { runId })).rejects.toThrow(`${process.pid}`);
  const resumed = backend.request('loraWorkbench/runs/resume', { runId });
  setTimeout(() => rmSync(join(runId, 'lock'), { recursive: true }), 300);
  await resumed;
  await until('it is let go, and taken', () => seen.get(runId)?.state.status !== 'finished');
});

test('a run goes on when its backend is killed; the next backend finds it and can stop it', async () => {
  await backend.initialize();
  const { runId } = await backend.request(
    'loraWorkbench/runs/start',
    configText({ max_steps: 100_000, eval_steps: 100_000, save_steps: 100_000 }),
  );
  const first = backend;
  const steps = () => readMetrics(join(runId, 'metrics.jsonl')).length;
  await until('the run has begun', () => steps() > 3);
  first.kill();
  const before = steps();
  await until('the run goes on', () => steps() > before + 3);

  backend = new BackendUnderTest();
  await backend.initialize({ runsFolders: [join(first.folder, 'runs')] });
  const { runs } = await backend.request('loraWorkbench/runs/list', null);
  expect(runs).toMatchObject([{ runId, state: { status: 'running' } }]);
  await backend.request('loraWorkbench/runs/control', { runId, command: 'stop' });
  let status = '';
  backend.on('loraWorkbench/runs/event', (event) => {
    if (event.kind === 'changed') status = event.run.state.status;
  });
  await until('the run stops', () => status === 'stopped');
  first.stop();
});

test('looks before it trains: samples, their mask, and the estimate', async () => {
  await backend.initialize();
  const report = await backend.request('loraWorkbench/preflight', configText());
  expect(report.samples[0]!.tokens.some(({ learned }) => learned)).toBe(true);
  expect(report.training.examples).toBeGreaterThan(8);
  expect(report.estimate.secondsPerStep).toBeGreaterThan(0);
});

test('counts data in a moment, and knows the time of a step once one was measured', async () => {
  await backend.initialize();
  const text = configText();
  const look = await backend.request('loraWorkbench/data/overview', text);
  expect(look).toMatchObject({ format: 'alpaca', examples: 12, truncated: 0, skippedCount: 0 });
  // Of twelve examples, one is held out at the default of 5 %.
  expect(look.rows).toBe(11);
  const estimate = async (batch: number) => {
    const { check } = await backend.request('loraWorkbench/config/check', configText({ batch_size: batch }));
    return check.ok ? check.estimate.secondsPerStep : undefined;
  };
  expect(await estimate(2)).toBe(null);
  const { estimate: measured } = await backend.request('loraWorkbench/preflight', text);
  expect(await estimate(2)).toBeCloseTo(measured.secondsPerStep, 9);
  expect(await estimate(6)).toBeCloseTo(3 * measured.secondsPerStep, 9);
  await expect(
    backend.request('loraWorkbench/data/overview', { ...text, config: { model, data: { path: 'nowhere.jsonl' } } }),
  ).rejects.toThrow(/nowhere\.jsonl/);
});

test('expects the same memory as the pre-flight, once the data was read', async () => {
  await backend.initialize();
  const text = configText();
  const expected = async () => {
    const { check } = await backend.request('loraWorkbench/config/check', text);
    return check.ok ? check.estimate.peakMemoryBytes : undefined;
  };
  const blind = await expected();
  await backend.request('loraWorkbench/data/overview', text);
  const informed = await expected();
  expect(informed).toBeLessThan(blind!);
  const { estimate } = await backend.request('loraWorkbench/preflight', text);
  expect(estimate.expectedMemoryBytes).toBe(informed);
});

test('what is wrong is said once, without the place where the draft lies', async () => {
  await backend.initialize();
  const path = join(backend.folder, 'run.json');
  const problem = (config: unknown) =>
    backend.request('loraWorkbench/preflight', { config, path }).then(String, (error: Error) => error.message);
  expect(await problem({ model, data: { path: 'x' }, lora: { r: 0 } })).toBe('lora.r must be at least 1, not 0');
  const missing = await problem({ model, data: { path: 'nowhere.jsonl' } });
  expect(missing.split('nowhere.jsonl')).toHaveLength(2);
  expect(missing).not.toContain('run.json');
});

test('a workspace is its source files; each is listed with its tokens, and every example can be found', async () => {
  await backend.initialize();
  const workspace = mkdtempSync(join(tmpdir(), 'workspace-'));
  const write = (name: string, text: string) => writeFileSync(join(workspace, name), text);
  write('.env', 'API_KEY=hidden\n');
  write('rows.jsonl', '{"text": "a row"}\n'.repeat(500));
  write('README.md', '# A document\n');
  for (let i = 0; i < 12; i++) write(`module${i}.py`, `def function_${i}(x):\n    return x + ${i}\n`.repeat(i + 1));
  const text = { path: join(workspace, 'run.json'), config: { model, data: { path: workspace, eval_fraction: 0 } } };
  try {
    const look = await backend.request('loraWorkbench/data/overview', text);
    expect(look).toMatchObject({ format: 'code', fileCount: 12, heldOut: 0, skippedCount: 0 });
    expect(look.files[0]!.path).toBe(join(workspace, 'module11.py'));
    expect(look.files.reduce((sum, { tokens }) => sum + tokens, 0)).toBe(look.tokens);
    expect(look.leftOut.map(({ kind, files }) => [kind, ...files.map(({ path }) => basename(path))])).toEqual([
      ['hidden', '.env'],
      ['data', 'rows.jsonl'],
      ['document', 'README.md'],
    ]);
    const ask = (query: string, offset: number) =>
      backend.request('loraWorkbench/data/examples', { text, query: { text: query, offset, limit: 5 } });
    const pages = [await ask('', 0), await ask('', 5), await ask('', 10)];
    expect(pages.map(({ total, examples }) => [total, examples.length])).toEqual([
      [12, 5],
      [12, 5],
      [12, 2],
    ]);
    const seen = pages.flatMap(({ examples }) => examples.map(({ tokens }) => tokens.map((token) => token.text).join('')));
    expect(new Set(seen).size).toBe(12);
    const found = await ask('FUNCTION_7(x)', 0);
    expect(found.examples.map(({ origin }) => basename(origin))).toEqual(['module7.py']);
    expect((await ask('module3', 0)).total).toBe(1); // matches the file's name
    expect((await ask('API_KEY', 0)).total).toBe(0);
  } finally {
    rmSync(workspace, { recursive: true });
  }
});

test('checks a config while it is written', async () => {
  await backend.initialize();
  const { path } = configText();
  const wrong = await backend.request('loraWorkbench/config/check', {
    config: { model, data: { path: 'x' }, lora: { rank: 4 } },
    path,
  });
  expect(wrong.check).toMatchObject({ ok: false, problems: [{ path: ['lora', 'rank'] }] });
  expect(wrong.modelShape).toMatchObject({ model, linears: { q_proj: expect.any(Array) } });
  const missing = await backend.request('loraWorkbench/config/check', {
    config: { model: './nowhere', data: { path: 'x' } },
    path,
  });
  expect(missing.check).toMatchObject({ ok: false, problems: [{ path: ['model'] }] });
  const tooLong = await backend.request('loraWorkbench/config/check', {
    config: { model, data: { path: 'x', max_seq_length: 131_072 } },
    path,
  });
  expect(tooLong.check).toMatchObject({
    ok: false,
    problems: [{ path: ['data', 'max_seq_length'], message: expect.stringContaining('Lower data.max_seq_length to') }],
  });
  const noLayer = await backend.request('loraWorkbench/config/check', {
    config: { model, data: { path: 'x' }, lora: { layers: [99] } },
    path,
  });
  expect(noLayer.check).toMatchObject({
    ok: false,
    problems: [{ path: ['lora', 'layers'], message: expect.stringContaining('layer 99') }],
  });
  const right = await backend.request('loraWorkbench/config/check', configText());
  expect(right.check).toMatchObject({ ok: true, estimate: { peakMemoryBytes: expect.any(Number), deviceMemoryBytes: 0 } });
  const onGpu = await backend.request('loraWorkbench/config/check', {
    config: { ...configText().config, engine: { device: 'webgpu' } },
    path,
  });
  expect(onGpu.check.ok && onGpu.check.estimate.deviceMemoryBytes).toBeGreaterThan(0);
});

test('touches no folder that is not a listed run', async () => {
  await backend.initialize();
  await expect(backend.request('loraWorkbench/runs/control', { runId: backend.folder, command: 'stop' })).rejects.toThrow(
    /There is no run at/,
  );
});

describe('text', () => {
  const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1 };
  const params = {
    model,
    adapter: null,
    adapterStrength: 1,
    prompt: { kind: 'text' as const, text: 'What is', template: 'none' as const, adapter: null },
    sampling,
    maxNewTokens: 8,
  };
  /** Rewarded for repeating itself, the model never stops. */
  const endless = { ...params, sampling: { ...sampling, repetitionPenalty: 0.5 }, maxNewTokens: 100_000 };
  let written: string;
  beforeEach(async () => {
    await backend.initialize();
    written = '';
    backend.on('loraWorkbench/generate/token', ({ text }) => (written += text));
  });

  test('comes in pieces, and can be stopped', async () => {
    expect(await backend.request('loraWorkbench/generate', { ...params, streamId: 's' })).toMatchObject({
      tokens: 8,
      reason: 'length',
    });
    const cancel = new CancellationTokenSource();
    const stopped = backend.request('loraWorkbench/generate', { ...endless, streamId: 's' }, cancel.token);
    const before = written.length;
    await until('some text', () => written.length > before);
    cancel.cancel();
    expect(await stopped).toMatchObject({ reason: 'stopped', tokens: expect.toSatisfy((count: number) => count > 0) });
  });

  test.runIf(process.platform === 'linux')(
    'when the process that writes it dies, that is said, and the next request gets a new one',
    async () => {
      const broken = backend.request('loraWorkbench/generate', { ...endless, streamId: 's' });
      const said = expect(broken).rejects.toThrow('The process that generates text has ended (SIGKILL). Is there enough memory?');
      await until('some text', () => written !== '');
      backend.children().forEach((pid) => process.kill(pid, 'SIGKILL'));
      await said;
      expect(await backend.request('loraWorkbench/generate', { ...params, streamId: 's' })).toMatchObject({ tokens: 8 });
    },
  );
});

test('what lies where runs should be, or cannot be read, hides no other run and ends nothing', async () => {
  writeFileSync(join(backend.folder, 'file'), '');
  mkdirSync(join(backend.folder, 'runs/odd/state.json'), { recursive: true });
  await backend.initialize({ runsFolders: [join(backend.folder, 'file'), join(backend.folder, 'runs')] });
  expect((await backend.request('loraWorkbench/runs/list', null)).runs).toEqual([]);
  await expect(backend.request('loraWorkbench/runs/start', configText())).rejects.toThrow(/file.* could not be written/);
});
