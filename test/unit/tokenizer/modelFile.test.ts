import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { tokenizerFromFolder, type TokenizerFolder } from '../../../src/core/tokenizer/folder.js';
import { createTokenizer } from '../../../src/core/tokenizer/huggingFace.js';
import { partsFromModelFile } from '../../../src/core/tokenizer/modelFile.js';
import { tokenizerFolderFiles } from '../../../src/core/tokenizer/toFolder.js';
import { damagedCopies } from '../formats/damagedCopies.js';
import { goldenPath, passesOrNames, userErrorOf } from '../formats/memorySource.js';

// Made by test/golden/make_tokenizer_models.py with SentencePiece, and by the rule of tiktoken.
const kinds = ['bpe', 'bpe-extra', 'unigram', 'unigram-bytes', 'ranks'];
const bytesOf = (kind: string) => readFileSync(goldenPath(`tokenizer-models/${kind}.model`));
const partsOf = (kind: string, bytes: Uint8Array = bytesOf(kind)) => partsFromModelFile(bytes, '3.1', 'tokenizer.model');
const casesOf = (kind: string) =>
  (JSON.parse(readFileSync(goldenPath(`tokenizer-models/${kind}.json`), 'utf8')) as { cases: { text: string; ids: number[] }[] })
    .cases;

const nothingElse = {
  tokenizerConfig: null,
  specialTokensMap: null,
  generationConfig: null,
  config: null,
  chatTemplate: null,
};

describe.each(kinds)('%s', (kind) => {
  const tokenizer = createTokenizer(partsOf(kind));

  test('ids are those of the library that the file is for', () => {
    for (const { text, ids } of casesOf(kind)) {
      expect([text, ...tokenizer.encode(text, { addSpecialTokens: false })]).toEqual([text, ...ids]);
    }
  });

  test('the same as tokenizer.json', () => {
    const files = tokenizerFolderFiles(partsOf(kind), tokenizer);
    const again = tokenizerFromFolder({
      file: 'tokenizer.json',
      ...nothingElse,
      tokenizer: JSON.stringify(files['tokenizer.json']),
      tokenizerConfig: JSON.stringify(files['tokenizer_config.json']),
    });
    for (const { text } of casesOf(kind)) expect(again.encode(text)).toEqual(tokenizer.encode(text));
    expect([again.bosId, again.eosId, again.padId]).toEqual([tokenizer.bosId, tokenizer.eosId, tokenizer.padId]);
  });

  test('damaged copies are read or refused by name', () => {
    let refused = 0;
    fc.assert(
      fc.property(damagedCopies(bytesOf(kind)), (bytes) => {
        if (!passesOrNames('tokenizer.model', () => createTokenizer(partsOf(kind, bytes)).encode('Some words, 12 numbers.')))
          refused++;
      }),
      { numRuns: 60 },
    );
    expect(refused).toBeGreaterThan(5);
  });
});

test('text comes back from LLaMA’s pieces, with the first space dropped', () => {
  const tokenizer = createTokenizer(partsOf('bpe'));
  const text = 'def add(a, b):\n        return a + b  # 你好 😀';
  expect(tokenizer.decode(tokenizer.encode(text), { skipSpecialTokens: true })).toBe(text);
});

test('a text begins with BOS, and ends where the file says', () => {
  const pieces = createTokenizer(partsOf('bpe'));
  expect([...pieces.encode('a')][0]).toBe(1);
  expect([pieces.bosId, pieces.eosId, pieces.tokenId('</s>')]).toEqual([1, 2, 2]);
  const unigram = createTokenizer(partsOf('unigram'));
  expect([unigram.bosId, unigram.eosId, unigram.padId]).toEqual([null, 1, 0]);
});

test('LLaMA 3 has 256 special tokens after its ranks, which 3.1 named anew', () => {
  const [old, current] = (['3', '3.1'] as const).map((version) =>
    createTokenizer(partsFromModelFile(bytesOf('ranks'), version, 'tokenizer.model')),
  );
  const ids = (token: string) => [old!.tokenId(token), current!.tokenId(token)];
  expect(ids('<|begin_of_text|>')).toEqual([400, 400]);
  expect(ids('<|end_header_id|>')).toEqual([407, 407]);
  expect(ids('<|eot_id|>')).toEqual([409, 409]);
  expect(ids('<|reserved_special_token_4|>')).toEqual([408, 412]);
  expect(ids('<|reserved_special_token_250|>')).toEqual([655, undefined]);
  expect(ids('<|reserved_special_token_247|>')).toEqual([652, 655]);
  expect(ids('<|python_tag|>')).toEqual([undefined, 410]);
  expect([current!.vocabSize, current!.bosId, current!.stopIds]).toEqual([656, 400, [401, 408, 409]]);
  expect([...current!.encode('Hi<|eot_id|>')].at(-1)).toBe(409);
});

test('a Hugging Face folder without tokenizer.json has its settings applied', () => {
  const read = (settings: Partial<TokenizerFolder>) =>
    tokenizerFromFolder({ file: 'tokenizer.model', tokenizer: bytesOf('bpe'), ...nothingElse, ...settings });
  const tokenizer = read({
    tokenizerConfig: '{"pad_token":"<unk>","chat_template":"{{ messages[0].content }}"}',
    generationConfig: '{"eos_token_id":[2,7]}',
  });
  expect([tokenizer.padId, tokenizer.stopIds, tokenizer.hasChatTemplate]).toEqual([0, [2, 7], true]);
  expect([...tokenizer.encode('')]).toEqual([1]);
  const ending = read({ tokenizerConfig: '{"add_bos_token":false,"add_eos_token":true}' });
  expect([...ending.encode('')]).toEqual([2]);
});

describe('what cannot be read is said in one sentence', () => {
  const field = (number: number, bytes: readonly number[]) => [8 * number + 2, bytes.length, ...bytes];
  const flag = (number: number, value: number) => [
    ...(number < 16 ? [8 * number] : [((8 * number) % 128) | 128, number >> 4]),
    value,
  ];
  const piece = field(1, [...field(1, [0x61])]);

  test.each<[string, number[][], RegExp]>([
    ['nothing', [], /it has no vocabulary/],
    ['a cut', [[10, 200, 1, 3]], /it is cut off/],
    ['no wire format', [[15, 15]], /it is damaged/],
    ['an endless number', [new Array<number>(20).fill(255)], /it is damaged/],
    ['words', [piece, field(2, flag(3, 3))], /whole words or single characters/],
    ['spaces as suffixes', [piece, field(2, flag(24, 1))], /spaces at the end of words/],
    ['spaces as they are', [piece, field(2, flag(3, 2)), field(3, flag(5, 0))], /spaces inside its tokens/],
    ['no unknown token', [piece], /no token for what it does not know/],
    ['a text for a score', [field(1, field(2, [1])), field(2, flag(3, 2))], /its field 2 is no number/],
    [
      'a damaged map',
      [field(1, [...field(1, [0x61]), 24, 2]), field(3, field(2, [255, 255, 0, 0, 1]))],
      /its map of characters is damaged/,
    ],
  ])('%s', (_, parts, reason) => {
    const attempt = () => createTokenizer(partsOf('none', Uint8Array.from(parts.flat())));
    expect(userErrorOf(attempt).message).toMatch(reason);
    expect(userErrorOf(attempt).message).toContain('tokenizer.model');
  });

  test('ranks out of order', () => {
    const attempt = () => partsOf('none', new TextEncoder().encode('IQ== 0\nIg== 2\n'));
    expect(userErrorOf(attempt).message).toMatch(/line 2 is not a token with the rank 1/);
  });
});
