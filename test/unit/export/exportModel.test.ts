/** @file Exports read back by this program's own readers. What others make of them: judge.test.ts. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linearNames } from '../../../src/core/models/linears.js';
import type { WeightStore } from '../../../src/core/models/weights.js';
import { exportModel } from '../../../src/export/exportModel.js';
import { mergedFolder } from '../../../src/export/mergedFolder.js';
import { checkParity } from '../../../src/export/parity.js';
import { encodedBlocks, plannedWeights } from '../../../src/export/plannedWeights.js';
import { readMergeableFor } from '../../../src/files/adapterFolder.js';
import { checkDiskSpace } from '../../../src/files/freeDisk.js';
import { loadModel, loadModelForData } from '../../../src/files/loadModel.js';
import type { ExportProgress, ExportRequest } from '../../../src/protocol/export.js';
import { writeRandomAdapter, writeRandomModel } from '../../support/randomModel.js';

const folder = mkdtempSync(join(tmpdir(), 'export-'));
const place = (name: string): string => join(folder, name);
const model = place('model');
const adapter = place('adapter');
afterAll(() => rmSync(folder, { recursive: true }));

beforeAll(() => {
  const config = writeRandomModel(model, 'gqa-tied', 'sentencepiece', { tie_word_embeddings: false, hidden_size: 64 });
  const lora = { r: 4, alpha: 16, layers: [1], useRslora: true, targetModules: linearNames };
  writeRandomAdapter(adapter, config, lora, model);
});

const request: ExportRequest = { model, adapter, to: 'merged', dtype: null, strength: 1, out: place('out') };
let count = 0;

function run(changes: Partial<ExportRequest>, report: (progress: ExportProgress) => void = () => undefined) {
  const out = place(`out-${++count}${changes.to?.startsWith('gguf') ? '.gguf' : ''}`);
  return exportModel({ ...request, out, ...changes }, report, new AbortController().signal);
}

describe('every family says the same after an export', () => {
  test.each(['gqa-tied', 'linear-rope-biases', 'yarn-rope', 'qwen2', 'qwen3', 'smollm3', 'mistral', 'gemma3', 'mqa-f16'])(
    '%s',
    async (name) => {
      const trained = { model: `test/fixtures/models/${name}`, adapter: `test/golden/models/${name}-adapter` };
      const { parity, dtype } = await run({ ...trained, dtype: 'f32', strength: 0.7 });
      expect(dtype).toBe('f32');
      expect(parity.relativeDifference).toBeLessThan(1e-5);
      expect(parity.sameFirst).toBe(parity.positions);
      const { parity: ofAdapter } = await run({ ...trained, to: 'peft', strength: 0.7 });
      expect(ofAdapter.relativeDifference).toBeLessThan(1e-5);
    },
    60_000,
  );

  test.each(['f16', 'bf16', 'q8_0', 'q4_0', 'q4_1'] as const)('as GGUF in %s', async (dtype) => {
    const { parity, sizeBytes, files } = await run({ to: 'gguf', dtype });
    expect(parity.relativeDifference).toBeGreaterThan(0);
    // Weights as random as these lose more than those of a real model.
    expect(parity.relativeDifference).toBeLessThan(2 * parity.tolerance);
    expect(sizeBytes).toBeGreaterThan(10_000);
    expect(files.map((file) => basename(file))).toEqual([
      expect.stringMatching(/\.Modelfile$/),
      expect.stringMatching(/\.gguf$/),
    ]);
  });

  test('an adapter of several ranks and scalings, as GGUF and for PEFT', async () => {
    const patterns = { model: 'test/fixtures/models/llama3-rope', adapter: 'test/golden/adapters/patterns' };
    for (const to of ['gguf-lora', 'peft'] as const)
      expect((await run({ ...patterns, to })).parity.relativeDifference).toBeLessThan(1e-5);
  });
});

test('a GGUF file becomes a Hugging Face folder, and its tokenizer and chat template stay what they were', async () => {
  const { out: gguf } = await run({ to: 'gguf', dtype: 'f32' });
  const { out, parity } = await run({ model: gguf, adapter: null, to: 'merged', dtype: 'f32' });
  expect(parity.relativeDifference).toBeLessThan(1e-6);
  const [before, after] = [loadModel(model), loadModel(out)];
  const text = 'def add(a, b):\n    return a  + b # 今天 😀 <|end|>';
  expect([...after.tokenizer.encode(text)]).toEqual([...before.tokenizer.encode(text)]);
  const messages = [{ role: 'user', content: 'Hi' }];
  expect(after.tokenizer.applyChatTemplate(messages)).toBe(before.tokenizer.applyChatTemplate(messages));
  [before, after].forEach(({ weights }) => weights.close());
});

test('Meta’s files become a Hugging Face folder with the weights and the ids that they have', async () => {
  const meta = place('meta');
  cpSync('test/golden/torch/llama2', meta, { recursive: true });
  cpSync('test/golden/tokenizer-models/bpe.model', join(meta, 'tokenizer.model'));
  const { out, parity } = await run({ model: meta, adapter: null, dtype: 'f32' });
  expect(parity.maxDifference).toBe(0);
  const [before, after] = [loadModel(meta), loadModel(out)];
  expect(after.weights.names().length).toBe(before.weights.names().length);
  for (const name of before.weights.names())
    expect(after.weights.readFloat32(name), name).toEqual(before.weights.readFloat32(name));
  const text = 'def add(a, b):\n    return a  + b # 今天 😀';
  expect([...after.tokenizer.encode(text)]).toEqual([...before.tokenizer.encode(text)]);
  [before, after].forEach(({ weights }) => weights.close());
});

test('a large model is split into shards', async () => {
  const loaded = loadModelForData(model);
  const context = { model: loaded, adapter: null, strength: 1, dtype: 'f32', name: 'shards' } as const;
  const out = place('shards');
  mkdirSync(out);
  const planned = mergedFolder(context, 100_000);
  await planned.write(out, () => Promise.resolve());
  const shards = readdirSync(out).filter((name) => name.endsWith('.safetensors'));
  expect(shards.length).toBeGreaterThan(3);
  expect(shards[0]).toBe(`model-00001-of-0000${shards.length}.safetensors`);
  const exported = planned.open(out);
  expect((await checkParity(context, exported, 1, () => Promise.resolve())).maxDifference).toBe(0);
  exported.weights.close();
  loaded.weights.close();
});

test('however large a weight is, a few megabytes of it are held at a time', () => {
  const small = loadModelForData(model).weights;
  const config = { ...small.config, vocabSize: 16_384, hiddenSize: 4096, headDim: 128 };
  let largest = 0;
  const store = {
    ...bound(small),
    config,
    readRows: (_: string, __: number, into: Float32Array) => (largest = Math.max(largest, into.byteLength)),
  };
  for (const weight of plannedWeights(config, 'gguf', 'q8_0').slice(0, 6)) {
    for (const bytes of encodedBlocks(store, weight, 'gguf')) largest = Math.max(largest, bytes.length);
  }
  small.close();
  expect(largest).toBeLessThan(6e6);
});

test('the Modelfile has the template and the stops that Ollama needs', async () => {
  const { out } = await run({ to: 'gguf', dtype: 'f16' });
  expect(readFileSync(out.replace('.gguf', '.Modelfile'), 'utf8')).toBe(
    `FROM ./${basename(out)}\n` +
      'TEMPLATE """{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"""\n' +
      'PARAMETER stop "</s>"\n',
  );
});

describe('an export that differs is refused, and says where', () => {
  /** The check of an export whose weights are read through `changed`. */
  async function check(changed: (weights: WeightStore) => Partial<WeightStore>): Promise<unknown> {
    const loaded = loadModelForData(model);
    const context = {
      model: loaded,
      adapter: readMergeableFor(loaded.weights.config, adapter),
      strength: 1,
      dtype: 'f16',
      name: 'x',
    } as const;
    const { out } = await run({ dtype: 'f16' });
    const { weights } = loadModelForData(out);
    const exported: WeightStore = { ...bound(weights), ...changed(weights) };
    try {
      return await checkParity(context, { weights: exported, adapter: null, isOwn: true }, 1, () => Promise.resolve());
    } finally {
      [loaded.weights, weights].forEach((store) => store.close());
    }
  }

  const altering = (name: string, row: number, factor: number) => (weights: WeightStore) => ({
    readRows(wanted: string, firstRow: number, into: Float32Array) {
      weights.readRows(wanted, firstRow, into);
      const width = weights.info(wanted)!.shape[1] ?? 1;
      const at = (row - firstRow) * width;
      if (wanted === name && at >= 0 && at < into.length) into[at]! *= factor;
    },
  });

  test.each([
    ['a value', altering('model.layers.1.mlp.up_proj.weight', 7, 1.1), /weight that differs is .*layers\.1\.mlp\.up_proj.*row 7/],
    ['a value that is no number', altering('model.norm.weight', 3, NaN), /weight that differs is model\.norm\.weight, in row 3/],
    [
      'another rotation',
      ({ config }: WeightStore) => ({
        config: { ...config, attentionKinds: [{ rope: { theta: 500, scaling: { type: 'none' } }, window: null }] } as const,
      }),
      /Its settings are not those of model/,
    ],
  ])('%s', async (_, changed, message) => {
    await expect(check(changed)).rejects.toMatchObject({ code: 'export-differs', message: expect.stringMatching(message) });
  });
});

/** A store whose methods can be replaced one by one. */
function bound(weights: WeightStore): WeightStore {
  return {
    config: weights.config,
    info: (name) => weights.info(name),
    names: () => weights.names(),
    readFloat32(name, into) {
      const values = into ?? new Float32Array(weights.info(name)!.shape.reduce((product, length) => product * length, 1));
      this.readRows(name, 0, values);
      return values;
    },
    readRows: (name, firstRow, into) => weights.readRows(name, firstRow, into),
    readStoredRows: (name, firstRow, into) => weights.readStoredRows(name, firstRow, into),
    close: () => weights.close(),
  };
}

test.each(['writing', 'checking'] as const)('an export that is cancelled while %s leaves nothing', async (stage) => {
  const inside = place(`cancelled-${stage}`);
  const controller = new AbortController();
  const report = (progress: ExportProgress) => {
    if (progress.stage === stage && progress.done > 0) controller.abort();
  };
  const cancelled = exportModel({ ...request, to: 'gguf', out: join(inside, 'a.gguf') }, report, controller.signal);
  await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(inside)).toEqual([]);
});

test('what a killed export left behind is removed by the next to the same place', async () => {
  const inside = place('after-a-kill');
  const { pid: dead } = spawnSync(process.execPath, ['--version']);
  const left = (pid: number) => join(inside, `.a.gguf.${pid}.tmp`);
  for (const folder of [left(dead), left(process.ppid)]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'a.gguf'), 'half a file');
  }
  await exportModel({ ...request, to: 'gguf-lora', out: join(inside, 'a.gguf') }, () => undefined, new AbortController().signal);
  expect(readdirSync(inside).sort()).toEqual([basename(left(process.ppid)), 'a.gguf']);
});

test('progress goes from nothing to everything, in both stages', async () => {
  const seen: ExportProgress[] = [];
  await run({}, (progress) => seen.push(progress));
  for (const stage of ['writing', 'checking']) {
    const ofStage = seen.filter((progress) => progress.stage === stage);
    expect(ofStage[0]!.done).toBe(0);
    expect(ofStage.at(-1)!.done).toBe(ofStage[0]!.total);
  }
});

describe('what cannot be exported is refused with what can', () => {
  test.each<[string, Partial<ExportRequest>, RegExp]>([
    ['blocks outside GGUF', { dtype: 'q8_0' }, /to "merged" cannot be in q8_0: it can be in f32, f16, bf16/],
    ['an adapter that is none', { to: 'peft', adapter: null }, /Export to "merged" or "gguf"/],
    ['no strength', { to: 'gguf-lora', strength: 0 }, /strength 0 nothing of the adapter is left/],
    ['a place that is taken', { out: folder }, /exists already/],
    ['a GGUF file by another name', { to: 'gguf', out: place('model.bin') }, /end in \.gguf/],
    [
      'a window in GGUF',
      { model: 'test/fixtures/models/mistral', adapter: null, to: 'gguf' },
      /its attention has a window.*"merged"/,
    ],
    [
      'a model without a tokenizer, in GGUF',
      { model: 'test/fixtures/models/qwen2', adapter: null, to: 'gguf' },
      /tokenizer\.json is missing/,
    ],
    ['another model’s adapter', { adapter: 'test/golden/models/gemma3-adapter' }, /does not fit this model/],
  ])('%s', async (_, changes, message) => {
    await expect(run(changes)).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(message) });
  });

  test('values beyond f16', async () => {
    const large = place('large');
    writeRandomModel(large, 'gqa-tied', 'llama3', {}, (name, values) => {
      if (name === 'model.layers.0.mlp.up_proj.weight') values[5] = 70_000;
    });
    await expect(run({ model: large, adapter: null, dtype: 'f16' })).rejects.toThrow(/up_proj.* beyond 65,504.*bf16 or f32/);
    expect((await run({ model: large, adapter: null, dtype: 'bf16' })).dtype).toBe('bf16');
  });

  test('more than the disk has', () => {
    expect(() => checkDiskSpace(place('somewhere/new'), 2 ** 60)).toThrow(/would take 1,\d+,\d+ TB, and its disk has .* free/);
  });
});

test('a model card and other files beside the weights come along', async () => {
  writeFileSync(join(model, 'LICENSE'), 'Take it.');
  const { out } = await run({});
  expect(readFileSync(join(out, 'LICENSE'), 'utf8')).toBe('Take it.');
  expect(JSON.parse(readFileSync(join(out, 'config.json'), 'utf8'))).toMatchObject({ dtype: 'float32', vocab_size: 700 });
});
