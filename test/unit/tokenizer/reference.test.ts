import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { tokenizerFromFolder } from '../../../src/core/tokenizer/folder.js';
import { tokenizerFromGguf } from '../../../src/core/tokenizer/gguf.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';

// Made by test/golden/make_tokenizers.py from Hugging Face tokenizers and SentencePiece.
interface Golden {
  readonly tokenizer: object;
  readonly gguf: Record<string, string | number | string[] | number[]> | null;
  readonly cases: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[];
}
const golden = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../golden/tokenizers/${name}.json`, import.meta.url), 'utf8')) as Golden;

const nothingElse = {
  tokenizerConfig: null,
  specialTokensMap: null,
  generationConfig: null,
  config: null,
  chatTemplate: null,
};
const fromJson = ({ tokenizer }: Golden) =>
  tokenizerFromFolder({ file: 'tokenizer.json', tokenizer: JSON.stringify(tokenizer), ...nothingElse });
const fromGguf = ({ gguf }: Golden) => tokenizerFromGguf(new Map(Object.entries(gguf!)), 'model.gguf');

function expectSameIds(tokenizer: Tokenizer, { cases }: Golden, addSpecialTokens = true) {
  for (const { text, ids } of cases) expect([text, ...tokenizer.encode(text, { addSpecialTokens })]).toEqual([text, ...ids]);
}

describe.each(['smollm', 'llama3', 'sentencepiece', 'metaspace'])('%s', (name) => {
  const reference = golden(name);

  test('token ids are the reference tokenizer’s', () => expectSameIds(fromJson(reference), reference));

  test('decoded text is the reference tokenizer’s, all at once and token by token', () => {
    const tokenizer = fromJson(reference);
    for (const { ids, decoded } of reference.cases) {
      expect(tokenizer.decode(ids, { skipSpecialTokens: true })).toBe(decoded);
      const stream = tokenizer.streamDecoder({ skipSpecialTokens: true });
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(decoded);
    }
  });
});

test.each(['smollm', 'llama3', 'sentencepiece'])('%s: the same vocabulary as GGUF gives the same ids', (name) => {
  expectSameIds(fromGguf(golden(name)), golden(name), name !== 'smollm');
});

test('added tokens may be listed in tokenizer_config.json alone', () => {
  const reference = golden('llama3');
  const { added_tokens: added, ...rest } = reference.tokenizer as { added_tokens: { id: number; content: string }[] };
  const [unknown, bos, eos, end] = added.map(({ content }) => content);
  const tokenizerConfig = {
    bos_token: bos,
    eos_token: { content: eos },
    unk_token: unknown,
    added_tokens_decoder: { 3: { content: end, special: true } },
  };
  const tokenizer = tokenizerFromFolder({
    file: 'tokenizer.json',
    ...nothingElse,
    tokenizer: JSON.stringify(rest),
    tokenizerConfig: JSON.stringify(tokenizerConfig),
  });
  expectSameIds(tokenizer, reference);
  expect(
    [0, 1, 2, 3, 4].map((id) => tokenizer.decode([id], { skipSpecialTokens: true }) === ''),
    'special',
  ).toEqual([true, true, true, true, false]);
});

test('SentencePiece itself agrees', () => {
  // Without the space that LLaMA's normalizer adds before a text that has one, SentencePiece produces the same pieces.
  expectSameIds(fromGguf(golden('sentencepiece')), golden('sentencepiece-own'), false);
});

test('a stream gives out a character when its last byte is there', () => {
  const tokenizer = fromJson(golden('smollm'));
  const stream = tokenizer.streamDecoder();
  const ids = [...tokenizer.encode('a😀b')];
  expect(ids.length).toBeGreaterThan(4);
  const pieces = ids.map((id) => stream.push(id));
  expect(pieces.filter((piece) => piece !== '')).toEqual(['a', '😀', 'b']);
  stream.push(ids[1]!);
  expect(stream.end()).toBe('\ufffd');
});

test('SentencePiece’s first space is dropped from a text and kept in a continuation', () => {
  const tokenizer = fromJson(golden('sentencepiece'));
  const ids = tokenizer.encode('the loss', { addSpecialTokens: false });
  expect(tokenizer.decode(ids)).toBe('the loss');
  expect(tokenizer.decode(ids, { continuation: true })).toBe(' the loss');
});

test('tokens that are no whole characters are shown as bytes', () => {
  const tokenizer = fromJson(golden('sentencepiece'));
  const shown = [...tokenizer.encode('é', { addSpecialTokens: false })].map((id) => tokenizer.tokenText(id));
  expect(shown.slice(-2)).toEqual(['<0xC3>', '<0xA9>']);
});

test('much text takes little time, also where it is one long word', () => {
  const prose = golden('smollm')
    .cases.map(({ text }) => text.replace(/▁|<.*?>/g, ''))
    .join(' ');
  for (const name of ['smollm', 'sentencepiece']) {
    const tokenizer = fromJson(golden(name));
    for (const text of [prose.repeat(Math.ceil(2e5 / prose.length)), 'loss'.repeat(50_000)]) {
      const start = performance.now();
      const ids = tokenizer.encode(text, { addSpecialTokens: false });
      expect(performance.now() - start).toBeLessThan(20_000);
      expect(tokenizer.decode(ids)).toBe(text);
    }
  }
});
