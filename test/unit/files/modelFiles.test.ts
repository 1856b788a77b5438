import { describe, expect, it } from 'vitest';
import { parseModel } from '../../../src/files/hub/downloadModel.js';
import { filesOfModel, type ModelSelection } from '../../../src/files/hub/modelFiles.js';
import type { HubListing } from '../../../src/files/hub/repository.js';

function listing(...paths: string[]): HubListing {
  const hash = { kind: 'git', digest: '0'.repeat(40) } as const;
  const files = paths.map((path) => ({ path, sizeBytes: 1, hash }));
  return {
    repository: { type: 'model', name: 'owner/name', revision: 'main' },
    commit: '',
    licence: null,
    isGated: false,
    card: null,
    files,
  };
}

const chosen = (paths: string[], selection: ModelSelection = {}) =>
  filesOfModel(listing(...paths), selection).map(({ path }) => path);

describe('the files of a model', () => {
  it.each([
    [
      'safetensors, where the same weights are there in other forms',
      ['model.safetensors', 'pytorch_model.bin', 'x-Q8_0.gguf'],
      1,
    ],
    [
      'shards and their index',
      [
        'model-00001-of-00002.safetensors',
        'model-00002-of-00002.safetensors',
        'model.safetensors.index.json',
        'consolidated.safetensors',
      ],
      3,
    ],
    ['one file rather than shards', ['model.safetensors', 'model-00001-of-00001.safetensors', 'model.safetensors.index.json'], 1],
    [
      '.bin, where there is nothing else',
      ['pytorch_model-00001-of-00001.bin', 'pytorch_model.bin.index.json', 'training_args.bin'],
      2,
    ],
    ['an only GGUF, whatever its name', ['strange.gguf'], 1],
    ['the usual quantization', ['x.Q4_K_M.gguf', 'x.IQ2_XS.gguf', 'x.Q8_0.gguf', 'x.Q4_K_S.gguf'], 1],
    ['a GGUF in a folder of its quantization', ['Q4_K_M/x-Q4_K_M.gguf', 'Q8_0/x-Q8_0-00001-of-00002.gguf'], 1],
  ])('are %s', (_, weights, count) => {
    const taken = chosen(['README.md', ...weights, 'original/params.json']);
    expect(taken).toEqual(weights.slice(0, count));
  });

  it('are the weights and what belongs to them, from the root alone', () => {
    const needed = ['config.json', 'tokenizer.json', 'tokenizer_config.json', 'chat_template.jinja', 'model.safetensors'];
    expect(chosen([...needed, 'onnx/config.json', 'flax_model.msgpack', '.gitattributes']).sort()).toEqual([...needed].sort());
  });

  it('are the GGUF that was asked for, in any case and spelling of its name', () => {
    const paths = ['config.json', 'model.safetensors', 'x-q4_k_m.gguf', 'x.Q8_0.gguf', 'mmproj-x-Q8_0.gguf', 'x-UD-Q4_K_M.gguf'];
    expect(chosen(paths, { quantization: 'q8_0' })).toEqual(['x.Q8_0.gguf']);
    expect(chosen(paths, { quantization: 'Q4_K_M' })).toEqual(['x-q4_k_m.gguf']);
    expect(chosen(paths, { file: 'x-UD*' })).toEqual(['x-UD-Q4_K_M.gguf']);
    expect(chosen(paths, { file: 'model.safetensors' })).toEqual(['config.json', 'model.safetensors']);
  });

  it('are named where the choice is not ours', () => {
    expect(() => chosen(['a-IQ1_S.gguf', 'b-IQ2_S.gguf'])).toThrow(
      'several models; name one of its files: a-IQ1_S.gguf, b-IQ2_S.gguf',
    );
    expect(() => chosen(['a-Q8_0.gguf'], { quantization: 'Q4_0' })).toThrow('holds no model Q4_0. Its files: a-Q8_0.gguf');
    expect(() => chosen(['README.md'])).toThrow('holds no model: neither safetensors');
  });
});

it('a quantization may follow the name, as for llama.cpp and Ollama', () => {
  expect(parseModel('owner/name:Q4_K_M')).toMatchObject({
    repository: { name: 'owner/name' },
    selection: { quantization: 'Q4_K_M' },
  });
  expect(parseModel('https://huggingface.co/owner/name').selection.quantization).toBeUndefined();
});
