import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { safetensorsBytes } from '../../../src/core/formats/safetensors.js';
import { ropeFrequencies } from '../../../src/core/models/rope.js';
import type { WeightStore } from '../../../src/core/models/weights.js';
import { openFile } from '../../../src/files/fileSource.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { damagedCopies } from '../formats/damagedCopies.js';
import { f32, ggufFile, text, u32, type GgufTensorParts } from '../formats/ggufFile.js';
import { fixturePath, goldenPath, passesOrNames, userErrorOf } from '../formats/memorySource.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'open-model-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function readAll(weights: WeightStore): Map<string, Float32Array> {
  return new Map(weights.names().map((name) => [name, weights.readFloat32(name)]));
}

/** Opens a model, reads every weight and closes it, whatever happens. */
function weightsOf(path: string): Map<string, Float32Array> {
  const { weights } = openModel(path);
  try {
    return readAll(weights);
  } finally {
    weights.close();
  }
}

const sorted = (map: ReadonlyMap<string, Float32Array>) => [...map].sort(([a], [b]) => (a < b ? -1 : 1));
const differing = (found: ReadonlyMap<string, Float32Array>, expected: ReadonlyMap<string, Float32Array>) =>
  [...expected].filter(([name, values]) => !values.every((value, i) => value === found.get(name)?.[i])).map(([name]) => name);

describe('a GGUF gives the weights that went into it', () => {
  test.each(['llama3-rope', 'linear-rope-biases', 'qwen2', 'qwen3', 'smollm3', 'gemma3'])(
    '%s, as its Hugging Face folder',
    (name) => {
      const huggingFace = openModel(fixturePath(`models/${name}`));
      const gguf = openModel(goldenPath(`formats/${name}.gguf`));
      expect(sorted(readAll(gguf.weights)).map(([weight]) => weight)).toEqual(
        sorted(readAll(huggingFace.weights)).map(([weight]) => weight),
      );
      expect(differing(readAll(gguf.weights), readAll(huggingFace.weights))).toEqual([]);

      const {
        attentionKinds: [ofGguf],
        rmsNormEpsilon,
        ...config
      } = gguf.weights.config;
      const {
        attentionKinds: [ofHuggingFace],
        ...expected
      } = huggingFace.weights.config;
      const [factors, scaling] = [ofGguf!.rope!, ofHuggingFace!.rope!];
      expect({ ...config, rmsNormEpsilon: Math.fround(rmsNormEpsilon) }).toEqual({
        ...expected,
        rmsNormEpsilon: Math.fround(expected.rmsNormEpsilon),
      });
      expect([factors.scaling.type, scaling.scaling.type]).toEqual(
        { 'llama3-rope': ['factors', 'llama3'], 'linear-rope-biases': ['linear', 'linear'], gemma3: ['linear', 'linear'] }[
          name
        ] ?? ['none', 'none'],
      );
      const reference = ropeFrequencies(scaling, expected.headDim);
      ropeFrequencies(factors, expected.headDim).forEach((frequency, i) => expect(frequency / reference[i]!).toBeCloseTo(1, 6));
    },
  );

  test('quantized and tied, as transformers reads it', () => {
    const model = openModel(goldenPath('formats/quantized.gguf'));
    expect(model.weights.config.tiedEmbeddings).toBe(true);
    expect(model.weights.info('model.layers.0.self_attn.q_proj.weight')).toMatchObject({
      storedType: 'Q4_1',
      permutedRows: true,
    });
    const expected = new Map(
      [...readTensorFile(goldenPath('formats/quantized.safetensors'))].map(([name, { data }]) => [name, data]),
    );
    expect(sorted(expected).map(([name]) => name)).toEqual(sorted(readAll(model.weights)).map(([name]) => name));
    expect(differing(readAll(model.weights), expected)).toEqual([]);
  });
});

describe('where a model may lie', () => {
  test('a folder, with its tokenizer', () => {
    const path = fixturePath('models/tiny-llama');
    expect(openModel(path)).toMatchObject({ path, tokenizerSource: { kind: 'folder', folder: path } });
  });

  test('a GGUF file, with its metadata', () => {
    const path = goldenPath('formats/quantized.gguf');
    const { tokenizerSource } = openModel(path);
    expect(tokenizerSource.kind === 'gguf' && tokenizerSource.metadata.get('general.architecture')).toBe('llama');
  });

  test('a folder with one GGUF file, even beside a config.json', () => {
    copyFileSync(goldenPath('formats/quantized.gguf'), join(folder, 'model.gguf'));
    writeFileSync(join(folder, 'config.json'), '{"model_type":"llama"}');
    expect(openModel(folder).path).toBe(join(folder, 'model.gguf'));
    copyFileSync(goldenPath('formats/quantized.gguf'), join(folder, 'other.gguf'));
    rmSync(join(folder, 'config.json'));
    expect(userErrorOf(() => openModel(folder)).message).toContain('2 .gguf files');
  });

  test.runIf(process.platform !== 'win32')("links into a cache's blobs", () => {
    mkdirSync(join(folder, 'snapshot'));
    for (const name of ['config.json', 'model.safetensors']) {
      copyFileSync(fixturePath(`models/gqa-tied/${name}`), join(folder, `blob-of-${name}`));
      symlinkSync(join('..', `blob-of-${name}`), join(folder, 'snapshot', name));
    }
    expect(weightsOf(join(folder, 'snapshot')).size).toBeGreaterThan(0);
  });

  test('nowhere, and places that hold none', () => {
    const error = (path: string) => userErrorOf(() => openModel(path));
    expect(error(join(folder, 'none'))).toMatchObject({ code: 'file-not-found' });
    expect(error(folder).message).toMatch(/neither config\.json nor a \.gguf file/);
    expect(error(goldenPath('adapters/rslora')).message).toMatch(/contains an adapter/);
    expect(error(goldenPath('formats/models.json'))).toMatchObject({ code: 'file-unsupported' });
    copyFileSync(fixturePath('models/gqa-tied/config.json'), join(folder, 'config.json'));
    expect(error(folder).message).toMatch(/has no model\.safetensors\./);
    writeFileSync(join(folder, 'pytorch_model.bin'), '');
    expect(error(folder).message).toMatch(/pytorch_model\.bin is not a usable PyTorch file: it is no ZIP archive/);
    mkdirSync(join(folder, 'model.safetensors'));
    expect(error(folder).message).toMatch(/model\.safetensors is a folder, not a file/);
  });
});

describe('weights that contradict the config are named', () => {
  const norm = 'model.norm.weight';
  const changes: [string, (tensors: Map<string, HostTensor>) => void, RegExp][] = [
    ['missing', (tensors) => tensors.delete(norm), /has no weight model\.norm\.weight/],
    [
      'of another shape',
      (tensors) => tensors.set(norm, { shape: [47], data: new Float32Array(47) }),
      /model\.safetensors: model\.norm\.weight is \[47\] where the config asks for \[48\]/,
    ],
    [
      'too many',
      (tensors) => tensors.set('model.layers.0.self_attn.q_norm.weight', { shape: [1], data: new Float32Array(1) }),
      /holds the weight model\.layers\.0\.self_attn\.q_norm\.weight/,
    ],
  ];

  const rewritten = (change: (tensors: Map<string, HostTensor>) => void) => {
    const tensors = new Map<string, HostTensor>(readTensorFile(fixturePath('models/gqa-tied/model.safetensors')));
    change(tensors);
    copyFileSync(fixturePath('models/gqa-tied/config.json'), join(folder, 'config.json'));
    writeFileSync(join(folder, 'model.safetensors'), Buffer.concat(safetensorsBytes(tensors)));
  };

  test.each(changes)('%s', (_, change, message) => {
    rewritten(change);
    expect(userErrorOf(() => openModel(folder)).message).toMatch(message);
  });

  test('what older checkpoints hold besides is passed over', () => {
    rewritten((tensors) => {
      tensors.set('model.layers.0.self_attn.rotary_emb.inv_freq', { shape: [8], data: new Float32Array(8) });
      tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight')!);
    });
    expect(openModel(folder).weights.names()).toHaveLength(weightsOf(fixturePath('models/gqa-tied')).size);
  });

  test('of a type that is no float', () => {
    copyFileSync(fixturePath('models/gqa-tied/config.json'), join(folder, 'config.json'));
    copyFileSync(goldenPath('formats/types.safetensors'), join(folder, 'model.safetensors'));
    expect(userErrorOf(() => openModel(folder)).message).toMatch(/is of type \w+; F32, F16 and BF16 can be read/);
  });

  test('NaN, once it is read', () => {
    rewritten((tensors) => tensors.get(norm)!.data.fill(NaN, 3, 4));
    const { weights } = openModel(folder);
    expect(userErrorOf(() => weights.readFloat32(norm)).message).toMatch(
      /model\.safetensors: the weight model\.norm\.weight contains NaN/,
    );
  });
});

describe('shards', () => {
  const index = 'model.safetensors.index.json';
  const withIndex = (content: string) => {
    cpSync(fixturePath('models/llama3-rope'), folder, { recursive: true });
    writeFileSync(join(folder, index), content);
    return userErrorOf(() => openModel(folder)).message;
  };

  test.each(['../model-00001-of-00003.safetensors', '/etc/passwd', 'a/b.safetensors', '..\\b.safetensors', '..', '', 7, null])(
    'an index cannot point outside its folder: %j',
    (name) =>
      expect(withIndex(JSON.stringify({ weight_map: { a: name } }))).toMatch(
        /index\.json names the file .*, which is not a file of this folder/,
      ),
  );

  test.each([
    ['no JSON', '{', /index\.json is not valid JSON/],
    ['no map', '[]', /index\.json has no weight_map/],
    ['a shard that is not there', '{"weight_map":{"a":"model-9.safetensors"}}', /model-9\.safetensors does not exist/],
    ['shards left out', '{"weight_map":{"a":"model-00001-of-00003.safetensors"}}', /has no weight .* Is a file missing\?/],
  ])('%s', (_, content, message) => expect(withIndex(content)).toMatch(message));

  test('a weight in two shards', () => {
    cpSync(fixturePath('models/llama3-rope'), folder, { recursive: true });
    copyFileSync(join(folder, 'model-00001-of-00003.safetensors'), join(folder, 'model-00002-of-00003.safetensors'));
    expect(userErrorOf(() => openModel(folder)).message).toMatch(/which another shard holds too/);
  });
});

describe('a GGUF that is no LLaMA of ours', () => {
  const metadata: [string, number, Uint8Array][] = [
    ['general.architecture', 8, text('llama')],
    ['llama.embedding_length', 4, u32(4)],
    ['llama.feed_forward_length', 4, u32(4)],
    ['llama.block_count', 4, u32(1)],
    ['llama.attention.head_count', 4, u32(1)],
    ['llama.context_length', 4, u32(8)],
    ['llama.attention.layer_norm_rms_epsilon', 6, f32(1e-5)],
  ];
  const embedding: GgufTensorParts = { name: 'token_embd.weight', lengths: [4, 8], type: 0, offset: 0 };
  const messageWith = (change: [string, number, Uint8Array][], tensors = [embedding]) => {
    const changed = new Map([...metadata, ...change].map((entry) => [entry[0], entry]));
    const path = join(folder, 'model.gguf');
    writeFileSync(path, ggufFile({ metadata: [...changed.values()], tensors, dataLength: 512 }));
    const { message } = userErrorOf(() => openModel(path));
    expect(message).toContain(path);
    return message;
  };
  const numbers = (...lengths: number[]): GgufTensorParts => ({
    name: 'rope_freqs.weight',
    lengths,
    type: 0,
    offset: 128,
  });

  test.each<[string, [string, number, Uint8Array][], RegExp]>([
    ['another architecture', [['general.architecture', 8, text('phi3')]], /architecture "phi3"/],
    ['experts', [['llama.expert_count', 4, u32(8)]], /mixture of experts/],
    ['one part of several', [['split.count', 2, u32(3).subarray(0, 2)]], /one of 3 parts/],
    [
      'partial rotation',
      [
        ['llama.rope.dimension_count', 4, u32(2)],
        ['llama.attention.key_length', 4, u32(4)],
      ],
      /only a part of each head/,
    ],
    [
      'unknown rope scaling',
      [
        ['llama.rope.scaling.type', 8, text('longrope')],
        ['llama.rope.scaling.factor', 6, f32(2)],
      ],
      /rope scaling "longrope"/,
    ],
    ['zero', [['llama.embedding_length', 4, u32(0)]], /embedding_length .* is 0/],
    [
      'a list',
      [['llama.attention.head_count', 9, new Uint8Array([...u32(4), 1, 0, 0, 0, 0, 0, 0, 0, ...u32(1)])]],
      /head_count .* a list/,
    ],
    ['weights missing', [], /has no weight model\.layers\.0/],
  ])('%s', (_, change, message) => expect(messageWith(change)).toMatch(message));

  test('tensors that do not belong', () => {
    expect(messageWith([], [])).toMatch(/has no token_embd\.weight/);
    expect(messageWith([], [embedding, { ...embedding, name: 'blk.0.attn_q_norm.weight', offset: 128 }])).toMatch(
      /tensor blk\.0\.attn_q_norm\.weight, which no LlamaForCausalLM has/,
    );
    expect(messageWith([], [embedding, numbers(3)])).toMatch(/rope_freqs\.weight should be 2 positive numbers/);
    expect(messageWith([], [embedding, numbers(2)])).toMatch(/rope_freqs\.weight should be 2 positive numbers/);
  });
});

describe('damaged copies are read or refused by name', () => {
  test.each([
    ['GGUF', goldenPath('formats/quantized.gguf'), 'model.gguf'],
    ['safetensors', fixturePath('models/gqa-tied/model.safetensors'), 'model.safetensors'],
    ['config.json', fixturePath('models/gqa-tied/config.json'), 'config.json'],
  ])('%s', (_, from, name) => {
    if (name !== 'model.gguf') cpSync(fixturePath('models/gqa-tied'), folder, { recursive: true });
    const path = join(folder, name);
    const original = readFileSync(from);
    let refused = 0;
    fc.assert(
      fc.property(damagedCopies(original), (bytes) => {
        writeFileSync(path, bytes);
        const start = performance.now();
        if (!passesOrNames(folder, () => weightsOf(name === 'model.gguf' ? path : folder))) refused++;
        expect(performance.now() - start).toBeLessThan(2000);
      }),
      { numRuns: 300 },
    );
    expect(refused).toBeGreaterThan(100);
  });
});

describe('openFile', () => {
  test('reads any part, and says when the file shrinks', () => {
    const path = join(folder, 'bytes');
    appendFileSync(path, Buffer.from([1, 2, 3, 4, 5]));
    const source = openFile(path);
    const two = new Uint8Array(2);
    source.read(2, two);
    expect([source.size, ...two]).toEqual([5, 3, 4]);
    expect(userErrorOf(() => source.read(4, two)).message).toBe(`${path} ended at byte 5: it was cut off while in use.`);
    source.close();
  });

  test.runIf(process.platform !== 'win32')('does not wait for a writer of a named pipe', () => {
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    expect(userErrorOf(() => openFile(join(folder, 'pipe'))).message).toMatch(/pipe is not a file/);
  });

  test('says what is not a file', () => {
    expect(userErrorOf(() => openFile(join(folder, 'none')))).toMatchObject({ code: 'file-not-found' });
    expect(userErrorOf(() => openFile(folder)).message).toContain(basename(folder));
    expect(userErrorOf(() => openFile('/no\0where'))).toMatchObject({ code: 'file-unreadable' });
  });
});

test.runIf(process.platform === 'linux')('a model whose tokenizer cannot be read leaves no file open', () => {
  cpSync(fixturePath('models/tiny-llama'), folder, { recursive: true });
  writeFileSync(join(folder, 'tokenizer.json'), '{');
  const openFiles = () => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  expect(userErrorOf(() => loadModel(folder)).message).toContain('tokenizer.json');
  expect(openFiles()).toBe(before);
});
