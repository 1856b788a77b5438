import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { outlineGguf } from '../../../src/core/formats/ggufHeader.js';
import type { ModelConfig } from '../../../src/core/models/config.js';
import { ggufRopeFactors } from '../../../src/core/models/ggufConfig.js';
import { configFromHuggingFace, configJson, familyOf } from '../../../src/core/models/registry.js';
import { sameModel } from '../../../src/core/models/sameModel.js';
import { decodeTensor } from '../../../src/core/formats/decodeTensor.js';
import { goldenSource, memorySource } from '../formats/memorySource.js';

const varieties = ['llama3-rope', 'linear-rope-biases', 'qwen2', 'qwen3', 'smollm3', 'gemma3'];
const others = ['tiny-llama', 'gqa-tied', 'mqa-f16', 'yarn-rope', 'mistral'];

function fixture(name: string, changes: object = {}): ModelConfig {
  const json = JSON.parse(readFileSync(`test/fixtures/models/${name}/config.json`, 'utf8')) as object;
  return configFromHuggingFace({ ...json, ...changes }, 'config.json');
}

test.each([...varieties, ...others])('%s: config.json says the same after it is written anew', (name) => {
  const config = fixture(name);
  const json = configJson(config);
  expect(sameModel(configFromHuggingFace(json, 'config.json'), config)).toBe(true);
  expect(json).toMatchObject({ architectures: [familyOf(config).architecture], vocab_size: config.vocabSize });
});

test('two configs that compute something else are not the same', () => {
  const config = fixture('gemma3');
  const others = [
    { rope_theta: 5e5 },
    { sliding_window: 7 },
    { query_pre_attn_scalar: 17 },
    { rms_norm_eps: 1e-5 },
    { head_dim: 8 },
  ];
  for (const changes of others) expect(sameModel(fixture('gemma3', changes), config), JSON.stringify(changes)).toBe(false);
});

test.each(varieties)('%s: GGUF metadata is the gguf library’s', (name) => {
  const config = fixture(name);
  const source = goldenSource(`formats/${name}.gguf`);
  const golden = parseGguf(source);
  const { header } = outlineGguf(familyOf(config).gguf.writeConfig(config), []);
  const written = parseGguf(memorySource(header)).metadata;
  for (const [key, value] of golden.metadata) expect(written.get(key), key).toEqual(value);

  const tensor = golden.tensors.get('rope_freqs.weight');
  const factors = ggufRopeFactors(config);
  expect(factors === null).toBe(tensor === undefined);
  if (!tensor || !factors) return;
  const expected = new Float32Array(factors.length);
  decodeTensor(source, { ...tensor, storedType: 'F32' }, expected);
  factors.forEach((factor, index) => expect(factor).toBeCloseTo(expected[index]!, 5));
});

describe('a model that llama.cpp would compute otherwise is refused as GGUF', () => {
  test.each<[string, string, object, RegExp]>([
    ['a window', 'mistral', {}, /its attention has a window/],
    ['other layers without rotation', 'smollm3', { no_rope_layers: [1, 1, 0, 1] }, /every fourth layer without rotation/],
    ['other global layers', 'gemma3', { sliding_window_pattern: 3 }, /every sixth layer/],
    ['another scale of attention', 'gemma3', { query_pre_attn_scalar: 32 }, /by its head size/],
    ['biases', 'qwen3', { attention_bias: true }, /Qwen3 has no biases/],
    [
      'LLaMA’s rotary scaling',
      'qwen2',
      {
        rope_scaling: {
          rope_type: 'llama3',
          factor: 8,
          low_freq_factor: 1,
          high_freq_factor: 4,
          original_max_position_embeddings: 64,
        },
      },
      /only LLaMA's frequencies/,
    ],
  ])('%s', (_, name, changes, message) => {
    const config = fixture(name, changes);
    expect(() => familyOf(config).gguf.writeConfig(config)).toThrow(message);
  });
});
