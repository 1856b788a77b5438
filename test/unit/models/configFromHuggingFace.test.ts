import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configFromHuggingFace } from '../../../src/core/models/registry.js';
import { ropeFrequencies } from '../../../src/core/models/rope.js';
import { fixturePath, goldenPath, passesOrNames, userErrorOf } from '../formats/memorySource.js';

const file = 'config.json';
const least = {
  model_type: 'llama',
  vocab_size: 32000,
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
};
const read = (change: object) => configFromHuggingFace({ ...least, ...change }, file);
const fixture = (name: string) => JSON.parse(readFileSync(fixturePath(`models/${name}/config.json`), 'utf8')) as unknown;

describe('what a config says', () => {
  test("what is left out is as in transformers' ModelConfig", () => {
    expect(read({})).toEqual({
      family: 'llama',
      vocabSize: 32000,
      hiddenSize: 64,
      intermediateSize: 128,
      layerCount: 2,
      headCount: 4,
      keyValueHeadCount: 4,
      headDim: 16,
      rmsNormEpsilon: 1e-6,
      contextLength: 2048,
      tiedEmbeddings: false,
      biases: [],
      attentionKinds: [{ rope: { theta: 10000, scaling: { type: 'none' } }, window: null }],
      layerPattern: [0],
    });
  });

  test.each([
    ['rope_parameters', { rope_parameters: { rope_type: 'linear', rope_theta: 5e5, factor: 2 } }],
    ['rope_scaling and rope_theta', { rope_scaling: { rope_type: 'linear', factor: 2 }, rope_theta: 5e5 }],
    ['rope_scaling of old', { rope_scaling: { type: 'linear', factor: 2 }, rope_theta: 5e5 }],
  ])('rotary embedding as %s', (_, change) => {
    expect(read(change)).toMatchObject({ attentionKinds: [{ rope: { theta: 5e5, scaling: { type: 'linear', factor: 2 } } }] });
  });

  test.each(['llama3-rope', 'linear-rope-biases', 'qwen2'])("the rotary frequencies of %s are transformers'", (name) => {
    const golden = JSON.parse(readFileSync(goldenPath('formats/models.json'), 'utf8')) as {
      inverse_frequencies: Record<string, number[]>;
    };
    const { attentionKinds, headDim } = configFromHuggingFace(fixture(name), file);
    const frequencies = ropeFrequencies(attentionKinds[0]!.rope!, headDim);
    const expected = golden.inverse_frequencies[name]!;
    expect(frequencies).toHaveLength(expected.length);
    expected.forEach((frequency, i) => expect(frequencies[i]! / frequency).toBeCloseTo(1, 6));
  });

  test('an older config may name only the architecture', () => {
    expect(read({ model_type: undefined, architectures: ['LlamaForCausalLM'] }).headDim).toBe(16);
  });
});

describe('a config that cannot be used is refused with the field', () => {
  const llama3 = {
    rope_type: 'llama3',
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  };
  test.each<[string, object, string, RegExp]>([
    [
      'another model',
      { model_type: 'phi3', architectures: ['Phi3ForCausalLM'] },
      'model-unsupported',
      /Phi3ForCausalLM.*LlamaForCausalLM/,
    ],
    [
      'another head',
      { architectures: ['LlamaForSequenceClassification'] },
      'model-unsupported',
      /LlamaForSequenceClassification/,
    ],
    ['no type at all', { model_type: undefined }, 'model-unsupported', /no stated type/],
    ['another activation', { hidden_act: 'gelu' }, 'model-unsupported', /activation "gelu"/],
    ['quantized weights', { quantization_config: { quant_method: 'gptq' } }, 'model-unsupported', /quantized with gptq/],
    [
      'unknown rope scaling',
      { rope_scaling: { rope_type: 'longrope', factor: 4 } },
      'model-unsupported',
      /rope scaling "longrope"/,
    ],
    ['rope type no text', { rope_scaling: { rope_type: 3 } }, 'file-corrupt', /rope_type should be text, but is 3/],
    [
      'llama3 without its factors',
      { rope_scaling: { ...llama3, low_freq_factor: undefined } },
      'file-corrupt',
      /low_freq_factor .* missing/,
    ],
    ['llama3 with equal factors', { rope_scaling: { ...llama3, low_freq_factor: 4 } }, 'file-corrupt', /high_freq_factor/],
    ['missing', { hidden_size: undefined }, 'file-corrupt', /hidden_size .* missing/],
    ['fraction', { num_hidden_layers: 1.5 }, 'file-corrupt', /num_hidden_layers .* 1.5/],
    ['negative', { vocab_size: -1 }, 'file-corrupt', /vocab_size .* -1/],
    ['text', { rms_norm_eps: '1e-5' }, 'file-corrupt', /rms_norm_eps .* "1e-5"/],
    ['no flag', { tie_word_embeddings: 'yes' }, 'file-corrupt', /tie_word_embeddings .* "yes"/],
    ['heads that do not share', { num_key_value_heads: 3 }, 'file-corrupt', /4 query heads cannot share 3/],
    ['heads of no whole size', { num_attention_heads: 3 }, 'file-corrupt', /head size/],
    ['odd heads', { head_dim: 15 }, 'file-corrupt', /head size is 15/],
    ['frequencies beyond fp32', { rope_theta: 1e-300 }, 'file-corrupt', /frequencies/],
    ['absurd', { num_hidden_layers: 1e9 }, 'file-corrupt', /layerCount is 1000000000/],
  ])('%s', (_, change, code, message) => {
    const error = userErrorOf(() => read(change));
    expect(error).toMatchObject({ code });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^config\.json/);
  });

  test('any JSON ends in a config or in one error', () => {
    const names = [...Object.keys(fixture('llama3-rope') as object), 'rope_parameters', 'head_dim', 'quantization_config'];
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(0, -1, 1e308, 1e-308, 2 ** 53, 'x'.repeat(1e5)));
    const changes = fc.dictionary(fc.constantFrom(...names), values, { minKeys: 1, maxKeys: 3 });
    fc.assert(
      fc.property(
        fc.oneof(
          changes.map((change) => ({ ...(fixture('llama3-rope') as object), ...change })),
          fc.jsonValue(),
        ),
        (json) => {
          passesOrNames(file, () => {
            const { attentionKinds, headDim } = configFromHuggingFace(json, file);
            const frequencies = attentionKinds.flatMap(({ rope }) => (rope ? [...ropeFrequencies(rope, headDim)] : []));
            expect(frequencies.every((frequency) => Number.isFinite(frequency))).toBe(true);
          });
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('a value nested so deeply that printing it would overflow the stack', () => {
    const deep = JSON.parse(`${'['.repeat(100_000)}${']'.repeat(100_000)}`) as unknown;
    for (const name of ['hidden_size', 'architectures', 'model_type', 'rope_scaling', 'tie_word_embeddings']) {
      passesOrNames(file, () => read({ [name]: name === 'architectures' ? [deep] : deep }));
    }
  });
});
