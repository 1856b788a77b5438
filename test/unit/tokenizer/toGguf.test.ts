import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseGguf } from '../../../src/core/formats/gguf.js';
import { outlineGguf } from '../../../src/core/formats/ggufHeader.js';
import { partsFromFolder } from '../../../src/core/tokenizer/folder.js';
import { partsFromGguf, tokenizerFromGguf } from '../../../src/core/tokenizer/gguf.js';
import { createTokenizer, type TokenizerParts } from '../../../src/core/tokenizer/huggingFace.js';
import { tokenizerFolderFiles } from '../../../src/core/tokenizer/toFolder.js';
import { tokenizerInGguf } from '../../../src/core/tokenizer/toGguf.js';
import { memorySource } from '../formats/memorySource.js';

// Made by test/golden/make_tokenizers.py from Hugging Face tokenizers and SentencePiece.
interface Golden {
  readonly tokenizer: object;
  readonly gguf: Readonly<Record<string, unknown>> | null;
  readonly cases: readonly { readonly text: string; readonly ids: number[] }[];
}
const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8')) as Golden;

function partsOf(tokenizer: object): TokenizerParts {
  return partsFromFolder({
    file: 'tokenizer.json',
    tokenizer: JSON.stringify(tokenizer),
    tokenizerConfig: JSON.stringify({
      bos_token: '<s>',
      eos_token: '</s>',
      unk_token: '<unk>',
      chat_template: 'Hi {{ bos_token }}',
    }),
    specialTokensMap: null,
    generationConfig: JSON.stringify({ eos_token_id: [2, 3] }),
    config: null,
    chatTemplate: null,
  });
}

const vocabSize = 704;
function written(tokenizer: object) {
  const entries = tokenizerInGguf(partsOf(tokenizer), vocabSize);
  return parseGguf(memorySource(outlineGguf(entries, []).header)).metadata;
}

describe.each(['llama3', 'smollm', 'sentencepiece'])('%s as GGUF', (name) => {
  const { tokenizer, gguf, cases } = golden(name);
  const metadata = written(tokenizer);
  const value = (key: string) => metadata.get(`tokenizer.${key}`);

  test('every text has the reference tokenizer’s ids, also after another conversion back', () => {
    const parts = partsFromGguf(metadata, 'model.gguf');
    const files = tokenizerFolderFiles(parts, createTokenizer(parts));
    const back = createTokenizer(partsOf(files['tokenizer.json']!));
    for (const each of [tokenizerFromGguf(metadata, 'model.gguf'), back]) {
      for (const { text, ids } of cases) expect([text, ...each.encode(text)]).toEqual([text, ...ids]);
    }
  });

  test('its entries are those of the reference converter, with a token for each embedding', () => {
    const { 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': types, ...rest } = gguf as Record<string, number[]>;
    const padded = Array.from({ length: vocabSize }, (_, id) => tokens![id] ?? `[PAD${id}]`);
    expect(value('ggml.tokens')).toEqual(padded);
    // The golden takes one token from SentencePiece as the user's own, which tokenizer.json calls special.
    const [userDefined, control] = [4, 3];
    const expectedTypes = types!.map((type) => (type === userDefined ? control : type));
    expect((value('ggml.token_type') as number[]).slice(0, types!.length)).toEqual(expectedTypes);
    for (const [key, expected] of Object.entries(rest)) {
      if (key !== 'tokenizer.ggml.scores') expect(metadata.get(key), key).toEqual(expected);
    }
    expect(value('ggml.eot_token_id')).toBe(3);
    expect(value('ggml.add_bos_token')).toBe(name !== 'smollm');
    expect(value('chat_template')).toBe('Hi {{ bos_token }}');
  });
});

test('rules that llama.cpp does not have are refused', () => {
  const { tokenizer } = golden('llama3');
  const other = {
    ...tokenizer,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, use_regex: true, trim_offsets: true },
  };
  expect(() => written(other)).toThrow(/rules that GGUF cannot express.*"merged"/);
  expect(() => tokenizerInGguf(partsOf(tokenizer), 600)).toThrow(/has 640 tokens, but the model has embeddings for 600/);
});
