import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { fetchRunData } from '../../../src/runs/fetchRunData.js';
import { OpenData } from '../../../src/runs/openData.js';
import { readRunConfig } from '../../../src/runs/runConfigFile.js';
import { LoopbackHub } from '../../support/loopbackHub.js';

const model = join(process.cwd(), 'test/fixtures/models/tiny-llama');
const csv = 'id,prompt,completion\n' + Array.from({ length: 9 }, (_, index) => `${index},Count to ${index}.,"1, …"`).join('\n');

let folder: string;
let hub: LoopbackHub;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hub-run-'));
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'hub'));
  vi.stubEnv('LORA_WORKBENCH_CACHE', join(folder, 'own'));
  vi.stubEnv('HF_TOKEN', '');
  const parquet = readFileSync(join(process.cwd(), 'test/fixtures/data/rows-zstd.parquet'));
  const files = { 'train.csv': csv, 'validation.csv': csv.split('\n').slice(0, 4).join('\n') };
  hub = await LoopbackHub.start({
    'datasets/ada/counting': { files },
    'datasets/ada/talks': { files: { 'data/train-00000-of-00001.parquet': parquet } },
  });
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterEach(() => {
  hub.stop();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function configOf(data: object) {
  const path = join(folder, 'run.json');
  writeFileSync(path, JSON.stringify({ model, data }));
  return readRunConfig(path);
}

test('a run learns from one split of a data set and is measured on another', async () => {
  const config = configOf({ path: 'ada/counting', eval_path: 'ada/counting:validation' });
  await expect(OpenData.read(config)).rejects.toThrow(/ada\/counting does not exist.*pre-flight downloads it/);
  const notes: string[] = [];
  await fetchRunData(config, { note: (text) => notes.push(text) });
  expect(notes[0]).toMatch(/^Downloading ada\/counting: one file/);
  expect((await OpenData.read(config)).overview()).toMatchObject({ format: 'prompt-completion', examples: 12, heldOut: 3 });
});

test('stopping during the download says how to go on', async () => {
  const controller = new AbortController();
  controller.abort();
  const ports = { note: () => undefined, signal: controller.signal };
  await expect(fetchRunData(configOf({ path: 'ada/talks' }), ports)).rejects.toThrow(/Stopped before.*Resume the run/);
});

test('a path of the same name wins, and is read as it is written', async () => {
  mkdirSync(join(folder, 'ada', 'counting'), { recursive: true });
  const config = configOf({ path: 'ada/counting', eval_path: 'ada/other.jsonl' });
  expect(config.data).toMatchObject({ path: join(folder, 'ada/counting'), eval_path: join(folder, 'ada/other.jsonl') });
  await fetchRunData(config, { note: () => undefined });
  expect(hub.seen).toEqual([]);
});
