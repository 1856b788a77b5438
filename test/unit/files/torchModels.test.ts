/** @file Models in PyTorch's files: Meta's folders, pytorch_model.bin, adapter_model.bin; their goldens come from make_torch.py. */
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { findModels, inspectModels } from '../../../src/backend/modelCatalog.js';
import { parameterCount, type WeightStore } from '../../../src/core/models/weights.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { readMatrix } from '../../../src/runtime/readMatrix.js';
import { fixturePath, goldenPath, userErrorOf } from '../formats/memorySource.js';
import { dictionaryOf, named, op, pickle, tensor, text, torchFile, tuple } from '../formats/torchArchive.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'torch-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const meta = (name: string) => goldenPath(`torch/${name}`);
const message = (path = folder) => userErrorOf(() => openModel(path).weights.close()).message;
const writeParams = (change: object, name = 'llama2') => {
  const params = JSON.parse(readFileSync(join(meta(name), 'params.json'), 'utf8')) as object;
  writeFileSync(join(folder, 'params.json'), JSON.stringify({ ...params, ...change }));
};
const readAll = (weights: WeightStore) => new Map(weights.names().map((name) => [name, weights.readFloat32(name)]));
const configOf = (name: string) => {
  const { weights } = openModel(meta(name));
  weights.close();
  return weights.config;
};

describe('what params.json says and leaves out', () => {
  const common = { family: 'llama', hiddenSize: 32, layerCount: 2, headCount: 4, headDim: 8, biases: [] };
  const llama3 = { type: 'llama3', lowFrequencyFactor: 1, highFrequencyFactor: 4, originalContextLength: 8192 };

  test.each<[string, object, object]>([
    [
      'llama1',
      { vocabSize: 400, intermediateSize: 96, keyValueHeadCount: 4, contextLength: 2048 },
      { theta: 10000, scaling: { type: 'none' } },
    ],
    ['llama2', { vocabSize: 400, intermediateSize: 112, keyValueHeadCount: 2, contextLength: 4096 }, { theta: 10000 }],
    [
      'llama3',
      { vocabSize: 656, intermediateSize: 128, tiedEmbeddings: false, contextLength: 131072 },
      { theta: 500000, scaling: { ...llama3, factor: 8 } },
    ],
    ['llama3-tied', { keyValueHeadCount: 1, tiedEmbeddings: true }, { scaling: { ...llama3, factor: 32 } }],
  ])('%s', (name, sizes, rope) => {
    expect(configOf(name)).toMatchObject({ ...common, ...sizes, attentionKinds: [{ rope, window: null }] });
  });

  test.each<[object, number]>([
    [{ rope_theta: 500000 }, 8192],
    [{ rope_theta: 1000000 }, 16384],
    [{ norm_eps: 1e-6 }, 2048],
    [{ max_seq_len: 777 }, 777],
  ])('%j', (change, contextLength) => {
    cpSync(meta('llama2'), folder, { recursive: true });
    writeParams(change);
    const { weights } = openModel(folder);
    expect(weights.config.contextLength).toBe(contextLength);
    weights.close();
  });
});

describe('two shards are one model', () => {
  test.each(['llama2', 'llama3'])('%s: any rows in any form are those of the whole', (name) => {
    const { weights } = openModel(meta(name));
    for (const weight of weights.names()) {
      const { shape, storedType } = weights.info(weight)!;
      if (shape.length < 2) continue;
      const [rows, columns] = shape as [number, number];
      const whole = weights.readFloat32(weight);
      for (let firstRow = 0; firstRow < rows; firstRow += 8) {
        const some = new Float32Array(8 * columns);
        weights.readRows(weight, firstRow, some);
        expect(some).toEqual(whole.subarray(firstRow * columns, (firstRow + 8) * columns));
      }
      const [{ data }] = readMatrix(weights, weight, storedType as 'BF16') as unknown as [{ data: Uint16Array }];
      const widened = Uint32Array.from(data, (bits) => bits << 16);
      expect(new Float32Array(widened.buffer)).toEqual(whole);
    }
    weights.close();
  });

  test.each([
    [0, /consolidated\.00\.pth is missing/],
    [1, /wo\.weight|is \[.*\] where the config asks for/],
  ])('without shard %i', (index, reason) => {
    cpSync(meta('llama2'), folder, { recursive: true });
    rmSync(join(folder, `consolidated.0${index}.pth`));
    expect(message()).toMatch(reason);
  });

  test('a shard of another model', () => {
    cpSync(meta('llama2'), folder, { recursive: true });
    copyFileSync(join(meta('llama3'), 'consolidated.01.pth'), join(folder, 'consolidated.01.pth'));
    expect(message()).toMatch(/consolidated\.01\.pth: the tensor \S+ does not fit those of the other shards/);
  });
});

describe('a folder of Meta’s that contradicts itself is refused by name', () => {
  test.each<[string, object, RegExp]>([
    ['another width', { dim: 64 }, /is \[.*\] where the config asks for \[/],
    [
      'another vocabulary',
      { vocab_size: 128256 },
      /embed_tokens\.weight is \[400, 32\] where the config asks for \[128256, 32\]/,
    ],
    ['fewer layers', { n_layers: 1 }, /holds the tensor layers\.1\.\S+, which no LlamaForCausalLM has/],
    ['more layers', { n_layers: 3 }, /has no tensor layers\.2\.attention/],
    ['heads that do not divide', { n_heads: 5 }, /params\.json: the head size is 6\.4/],
    ['a text for a number', { dim: 'big' }, /params\.json: dim should be a positive whole number, but is "big"/],
    ['experts', { moe_args: { num_experts: 16 } }, /sets moe_args to an object, which is not supported/],
  ])('%s', (_, change, reason) => {
    cpSync(meta('llama2'), folder, { recursive: true });
    writeParams(change);
    expect(message()).toMatch(reason);
  });

  test('integers instead of weights, and code', () => {
    writeParams({});
    writeFileSync(join(folder, 'consolidated.00.pth'), torchFile(dictionaryOf(tensor(), text('norm.weight'))));
    expect(message()).toMatch(/consolidated\.00\.pth has no tensor tok_embeddings\.weight/);
    const evil = pickle(named('os', 'system'), tuple(text(`touch ${join(folder, 'ran')}`)), op.reduce, op.stop);
    writeFileSync(join(folder, 'consolidated.00.pth'), torchFile(evil));
    expect(message()).toMatch(/consolidated\.00\.pth .* it names "os\.system", which is not part of a tensor\. It was not run/);
  });
});

describe('Hugging Face folders with PyTorch’s files', () => {
  test.each([
    ['bin-shards', 'linear-rope-biases'],
    ['bin-tied', 'gqa-tied'],
  ])('%s: the weights of %s', (files, name) => {
    cpSync(goldenPath(`torch/${files}`), folder, { recursive: true });
    copyFileSync(fixturePath(`models/${name}/config.json`), join(folder, 'config.json'));
    const [read, expected] = [openModel(folder), openModel(fixturePath(`models/${name}`))].map(({ weights }) => readAll(weights));
    expect([...read!].sort()).toEqual([...expected!].sort());
    expect(openModel(join(folder, files === 'bin-tied' ? 'pytorch_model.bin' : 'pytorch_model-00001-of-00002.bin')).path).toBe(
      folder,
    );
  });

  test('an adapter', () => {
    const [read, expected] = [goldenPath('torch/bin-adapter'), goldenPath('adapters/rslora')].map(readAdapterFolder);
    expect(read).toEqual(expected);
    expect(readTensorFile(goldenPath('torch/bin-adapter/adapter_model.bin')).size).toBe(expected!.parameters.size);
  });
});

describe('found, tokenized, trained and tried like any other', () => {
  /** Meta keeps the tokenizer above the sizes of a model. */
  const withTokenizer = (name: string, kind: string) => {
    cpSync(meta(name), join(folder, name), { recursive: true });
    copyFileSync(goldenPath(`tokenizer-models/${kind}.model`), join(folder, 'tokenizer.model'));
    return join(folder, name);
  };

  test('in the catalog, also with the reason why one cannot be used', async () => {
    const path = withTokenizer('llama2', 'bpe');
    mkdirSync(join(folder, 'bin'));
    copyFileSync(goldenPath('torch/bin-tied/pytorch_model.bin'), join(folder, 'bin', 'pytorch_model.bin'));
    copyFileSync(fixturePath('models/gqa-tied/config.json'), join(folder, 'bin', 'config.json'));
    cpSync(goldenPath('torch/bin-adapter'), join(folder, 'adapter'), { recursive: true });
    expect((await inspectModels(join(folder, 'bin'))).problem).toMatch(/tokenizer\.json is missing/);
    copyFileSync(fixturePath('models/tiny-llama/tokenizer.json'), join(folder, 'bin', 'tokenizer.json'));
    const runs = { folders: [], get: () => undefined };
    const { models, adapters } = await findModels([{ path: folder, source: 'added' }], runs);
    expect(models.map((model) => [model.name, model.kind, model.sizeBytes])).toEqual([
      ['bin', 'huggingface', 211331],
      ['llama2', 'meta', 2 * 61185],
    ]);
    expect(adapters).toMatchObject([{ path: join(folder, 'adapter'), rank: 4 }]);
    writeFileSync(join(path, 'consolidated.01.pth'), 'cut off');
    expect((await inspectModels(path)).problem).toMatch(/consolidated\.01\.pth is not a usable PyTorch file/);
  });

  test.each([
    ['llama1', 'bpe', [1]],
    ['llama3', 'ranks', [400]],
  ])('%s with its tokenizer in the folder above', async (name, kind, start) => {
    const { weights, tokenizer } = loadModel(withTokenizer(name, kind));
    expect(parameterCount(weights)).toBeGreaterThan(30_000);
    expect([...tokenizer.encode('')]).toEqual(start);
    const model = await createTextModel(weights, new CpuDevice(1), 'fp32');
    const logits = await model.logits([...tokenizer.encode('Hello')], null, 1);
    expect(logits).toHaveLength(weights.config.vocabSize);
    await model.dispose();
    weights.close();
  });

  test('without a tokenizer, one message says which file is missing', () => {
    const { kind } = openModel(meta('llama1')).tokenizerSource;
    expect(kind).toBe('meta');
    expect(userErrorOf(() => loadModel(meta('llama1'))).message).toMatch(/llama1.tokenizer\.model is missing/);
  });

  test('a short training lowers the loss', async () => {
    const rows = Array.from({ length: 8 }, () => `${JSON.stringify({ text: 'The learning rate is small.' })}\n`);
    writeFileSync(join(folder, 'data.jsonl'), rows.join(''));
    const json = {
      model: withTokenizer('llama2', 'bpe'),
      data: { path: 'data.jsonl', format: 'text', max_seq_length: 64, eval_fraction: 0 },
      lora: { r: 4 },
      train: { max_steps: 8, batch_size: 2, gradient_accumulation_steps: 1, learning_rate: 2e-2 },
      engine: { threads: 1 },
    };
    const run = RunDirectory.create(join(folder, 'run'), parseRunConfig(JSON.stringify(json), join(folder, 'run.json'), []));
    await trainRun(run, { prepare: prepareRun });
    const losses = readMetrics(run.metricsPath).flatMap((metric) => ('loss' in metric ? [metric.loss] : []));
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.2);
  });
});
