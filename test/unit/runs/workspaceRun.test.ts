/** @file A run on a folder of source code, with the real engine: what it records, and what ghost text takes from it. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readTokenizer } from '../../../src/files/tokenizerFiles.js';
import { openModel } from '../../../src/files/openModel.js';
import { fillInTheMiddleWith, readTaughtMarkers } from '../../../src/files/taughtMarkers.js';
import { OpenData } from '../../../src/runs/openData.js';
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { readWorkspaceManifest } from '../../../src/runs/workspaceManifest.js';

const model = fileURLToPath(new URL('../../fixtures/models/tiny-llama', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'workspace-run-'));
const root = join(folder, 'shop');
mkdirSync(join(root, 'src'), { recursive: true });
for (const name of ['cart', 'order', 'price', 'stock', 'user']) {
  const lines = Array.from({ length: 8 }, (_, index) => `def ${name}_${index}(left):\n    return left + ${index}\n`);
  writeFileSync(join(root, 'src', `${name}.py`), lines.join('\n'));
}
writeFileSync(join(root, 'pay.py'), `password = "postgres${'://'}shop:s3cretpass@db.example.org/shop"\n`);

function config(...overrides: string[]) {
  const json = {
    model,
    data: { path: 'shop', eval_split: 'newest', eval_fraction: 0.2, max_seq_length: 64, fim_rate: 1, packing: true },
    lora: { r: 2 },
    train: { batch_size: 2, max_tokens: 5 * 2 * 64 + 50, num_epochs: 100, warmup_steps: 0, sample_prompts: 0 },
    engine: { threads: 1 },
  };
  return parseRunConfig(JSON.stringify(json), join(folder, 'run.json'), overrides);
}

test('a run lists what it trained on and what it held out, and ends after its tokens', async () => {
  const run = RunDirectory.create(join(folder, 'plain'), config());
  expect(await trainRun(run, { prepare: prepareRun })).toMatchObject({ status: 'finished', step: 5 });
  const manifest = readWorkspaceManifest(run.path)!;
  expect(manifest).toMatchObject({ root, repository: 'shop', commit: null, heldOutBy: 'modified', seed: 1337 });
  expect(manifest.files.map(({ path }) => path)).toEqual(
    ['cart', 'order', 'price', 'stock', 'user'].map((name) => `src/${name}.py`),
  );
  expect(manifest.files.filter(({ part }) => part === 'heldout')).toHaveLength(1);
  for (const { path, sha256, bytes, tokens } of manifest.files) {
    const content = readFileSync(join(root, path));
    expect([sha256, bytes]).toEqual([createHash('sha256').update(content).digest('hex'), content.length]);
    expect(tokens).toBeGreaterThan(0);
  }
  expect(manifest.leftOut).toEqual([{ path: 'pay.py', reason: 'credential', detail: 'database-connection-string:1' }]);
  expect(readTaughtMarkers(run.adapterPath)).toBe(null);

  const { files, heldOutBy, leftOut, ...overview } = (await OpenData.read(run.readConfig())).overview();
  expect(files.filter((file) => file.heldOut).map(({ path }) => path)).toEqual(
    manifest.files.filter(({ part }) => part === 'heldout').map(({ path }) => join(root, path)),
  );
  expect([heldOutBy, leftOut.map(({ kind }) => kind)]).toEqual(['modified', ['credential']]);
  expect(overview.languages).toEqual([{ name: 'python', files: 5, tokens: overview.tokens }]);
  expect(overview.folders.map(({ name }) => name)).toEqual(['src']);
});

test('of more code than may be learned from, the newest is, and what is older is listed', async () => {
  const changed = (name: string, seconds: number) => utimesSync(join(root, 'src', `${name}.py`), seconds, seconds);
  ['user', 'cart', 'stock', 'price', 'order'].forEach((name, index) => changed(name, 1_700_000_000 - index));
  const tokens = readWorkspaceManifest(join(folder, 'plain'))!.files.reduce((sum, file) => sum + file.tokens, 0);
  const limited = config('train.max_tokens=128', `data.max_tokens=${Math.ceil((tokens / 5) * 2.5)}`);
  const run = RunDirectory.create(join(folder, 'limited'), limited);
  await trainRun(run, { prepare: prepareRun });
  const { files, leftOut } = readWorkspaceManifest(run.path)!;
  expect(files.map(({ path, part }) => [path, part])).toEqual([
    ['src/user.py', 'heldout'],
    ['src/cart.py', 'train'],
    ['src/stock.py', 'train'],
  ]);
  expect(leftOut.filter(({ reason }) => reason === 'older').map(({ path }) => path)).toEqual(['src/price.py', 'src/order.py']);
});

test('a model without tokens for it learns marker strings, and ghost text with the adapter uses them', async () => {
  const run = RunDirectory.create(join(folder, 'taught'), config('data.fim_format=teach', 'train.max_tokens=128'));
  await trainRun(run, { prepare: prepareRun });
  const { weights, tokenizerSource } = openModel(model);
  weights.close();
  const tokenizer = readTokenizer(tokenizerSource);
  const { examples } = await (
    await OpenData.read(run.readConfig())
  ).examples({ text: '', offset: 0, limit: 50 }, new AbortController().signal);
  const texts = examples.map(({ tokens }) => tokenizer.decode(Int32Array.from(tokens, ({ id }) => id)));
  expect(texts.filter((text) => /<PRE>.*<SUF>.*<MID>/s.test(text)).length).toBeGreaterThan(texts.length / 2);
  expect(fillInTheMiddleWith(run.adapterPath, tokenizer)).toMatchObject({ prefix: '<PRE>', suffix: '<SUF>', middle: '<MID>' });
  expect(fillInTheMiddleWith(run.adapterPath, tokenizer, 'none')).toBe(null);
  expect(fillInTheMiddleWith(null, tokenizer)).toBe(null);
});
