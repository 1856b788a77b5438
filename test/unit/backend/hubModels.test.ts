import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import { recommendations } from '../../../src/runs/recommendations.js';
import { commitOf, LoopbackHub } from '../../support/loopbackHub.js';
import { BackendUnderTest, until } from './client.js';

const folder = 'test/fixtures/models/tiny-llama';
const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const weights = files['model.safetensors']!;

const lines = Array.from({ length: 8 }, (_, i) => JSON.stringify({ prompt: `Say ${i}.`, completion: `${i}` })).join('\n');

let hub: LoopbackHub;
let backend: BackendUnderTest;
beforeAll(async () => {
  hub = await LoopbackHub.start({
    'owner/tiny': { files, card: { license: 'apache-2.0' } },
    'owner/gated': { files, gatedFor: 'right-token' },
    'datasets/owner/lines': { files: { 'train.jsonl': lines }, gatedFor: 'right-token' },
  });
  backend = new BackendUnderTest({ HF_ENDPOINT: hub.endpoint, HF_TOKEN: undefined, HF_HOME: undefined, HF_HUB_CACHE: undefined });
  await backend.initialize();
});
afterAll(() => {
  backend?.stop();
  hub?.stop();
});
beforeEach(() => hub.forget());

const cache = () => join(backend.folder, '.cache/huggingface/hub');
const snapshot = (name: string) => join(cache(), `models--${name.replace('/', '--')}`, 'snapshots', commitOf(name));

describe('models of the hub, in the backend', () => {
  it('are looked at first: size, licence, place', async () => {
    const plan = await backend.request('loraWorkbench/hub/plan', { name: `${hub.endpoint}/owner/tiny`, token: null });
    const listed = Object.entries(files).map(([path, { length }]) => ({ path, sizeBytes: length }));
    const totalBytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    const missingBytes = totalBytes - files['config.json']!.length; // which says what kind of model it is
    expect(plan).toEqual({
      kind: 'plan',
      name: 'owner/tiny',
      licence: 'apache-2.0',
      files: expect.arrayContaining(listed) as unknown,
      totalBytes,
      missingBytes,
      folder: cache(),
    });
  });

  it('go on after they were cancelled, tell their progress, and then are in the catalogue', async () => {
    const request = { name: 'owner/tiny', token: null };
    const half = weights.length / 2;
    const { token, cancel } = cancellation();
    hub.interrupt(/model\.safetensors/, (_, response) => response.write(weights.subarray(0, half)));
    const cancelled = backend.request('loraWorkbench/hub/download', request, token);
    await until('half of it is there', () => hub.seen.some(({ host }) => host === 'store') && sizeOfParts().includes(half));
    cancel();
    await expect(cancelled).rejects.toThrow('aborted');
    expect(backend.log).toBe('');
    hub.forget();
    const told: unknown[] = [];
    backend.on('loraWorkbench/models/fetching', (progress) => told.push(progress));
    const { path } = await backend.request('loraWorkbench/hub/download', request);
    expect(path).toBe(snapshot('owner/tiny'));
    expect(hub.servedBytes).toBe(half);
    expect(told[0]).toMatchObject({ name: 'owner/tiny', total: expect.any(Number) as number });
    const { models } = await backend.request('loraWorkbench/models/list', null);
    expect(models).toContainEqual({ path, name: 'tiny', kind: 'huggingface', source: 'hub', sizeBytes: weights.length });
  });

  it('are refused with the page on which access is given, until the token is right', async () => {
    const plan = (token: string | null) => backend.request('loraWorkbench/hub/plan', { name: 'owner/gated', token });
    const accessPage = `${hub.endpoint}/owner/gated`;
    expect(await plan(null)).toMatchObject({ kind: 'refused', accessPage });
    expect(await plan('wrong')).toMatchObject({ kind: 'refused', accessPage });
    expect(await plan('right-token')).toMatchObject({ kind: 'plan' });
  });

  it('give gated data to the pre-flight, which gets the token that VS Code keeps and tells what it downloads', async () => {
    const config = { model: resolve(folder), data: { path: 'owner/lines', eval_fraction: 0, max_seq_length: 64 } };
    const look = () => backend.request('loraWorkbench/preflight', { config, path: join(backend.folder, 'run.json') });
    await expect(look()).rejects.toThrow('owner/lines is gated');
    const notes: string[] = [];
    backend.on('loraWorkbench/preflight/note', ({ text }) => notes.push(text));
    await backend.request('loraWorkbench/settings', { ...backend.settings, hubToken: 'right-token' });
    expect((await look()).training.examples).toBe(8);
    expect(notes[0]).toMatch(/^Downloading owner\/lines: one file, /);
    await backend.request('loraWorkbench/settings', backend.settings);
  });

  it('fail with a sentence', async () => {
    const plan = backend.request('loraWorkbench/hub/plan', { name: 'nonsense', token: null });
    await expect(plan).rejects.toThrow('nonsense names no repository of the hub. Expected OWNER/NAME');
  });
});

describe('recommended models', () => {
  it('have as many parameters as their files, whose counts the hub publishes', async () => {
    for (const { name, parameters, downloadBytes, config, isTrainable } of await recommendations(64e9)) {
      // The files of these two also hold the head, which is the embedding again.
      const repeated = /Qwen3-(0\.6|1\.7)B/.test(name) ? config.vocabSize * config.hiddenSize : 0;
      expect([name, parameters + repeated, isTrainable]).toEqual([name, downloadBytes / 2, true]);
    }
  });

  it('are marked by what fits into the memory that is free', async () => {
    const marks = new Map((await recommendations(2e9)).map(({ name, isTrainable }) => [name, isTrainable]));
    expect(marks.get('HuggingFaceTB/SmolLM2-135M-Instruct')).toBe(true);
    expect(marks.get('Qwen/Qwen2.5-Coder-7B')).toBe(false);
  });
});

function sizeOfParts(): number[] {
  const blobs = join(cache(), 'models--owner--tiny', 'blobs');
  return readdirSync(blobs)
    .filter((name) => name.endsWith('.incomplete'))
    .map((name) => readFileSync(join(blobs, name)).length);
}

function cancellation() {
  const source = new CancellationTokenSource();
  return { token: source.token, cancel: () => source.cancel() };
}
