import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UserError } from '../../../src/core/errors.js';
import { tokenizerFromFolder, type TokenizerFolder } from '../../../src/core/tokenizer/folder.js';
import type { GgufValue } from '../../../src/core/formats/gguf.js';
import { tokenizerFromGguf } from '../../../src/core/tokenizer/gguf.js';

const golden = JSON.parse(readFileSync(new URL('../../golden/tokenizers/llama3.json', import.meta.url), 'utf8'));
const pieces = JSON.parse(readFileSync(new URL('../../golden/tokenizers/sentencepiece.json', import.meta.url), 'utf8'));
// Files that are about to be damaged have no type.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Json = Record<string, any>;

const absent = {
  tokenizerConfig: null,
  specialTokensMap: null,
  generationConfig: null,
  config: null,
  chatTemplate: null,
};
const load = (tokenizer: string, others: Partial<TokenizerFolder> = {}) =>
  tokenizerFromFolder({ file: '/model/tokenizer.json', tokenizer, ...absent, ...others });
const changed = (change: (file: Json) => void) => {
  const file = structuredClone(golden.tokenizer) as Json;
  change(file);
  return JSON.stringify(file);
};

test.each<[string, string, RegExp]>([
  ['cut off', JSON.stringify(golden.tokenizer).slice(0, -100), /not valid JSON/],
  ['a list', '[]', /JSON object/],
  ['a million brackets', '['.repeat(1e6), /nested more than 64 deep/],
  ['no model', changed((file) => delete file.model), /"model" is missing/],
  ['no vocabulary', changed((file) => delete file.model.vocab), /"model.vocab" is missing/],
  ['no merges', changed((file) => delete file.model.merges), /"model.merges" is missing/],
  ['an empty vocabulary', changed((file) => (file.model = { type: 'BPE', vocab: {}, merges: [] })), /empty/],
  ['an absurd id', changed((file) => (file.model.vocab['!'] = 2 ** 40)), /has the id 1099511627776/],
  ['a negative id', changed((file) => (file.model.vocab['!'] = -1)), /has the id -1/],
  ['an id twice', changed((file) => (file.model.vocab['!'] = 5)), /two tokens have the id 5/],
  ['a merge of unknown tokens', changed((file) => file.model.merges.push(['zzq', 'q'])), /needs "zzq"/],
  ['a merge of three', changed((file) => file.model.merges.push(['a', 'b', 'c'])), /not a pair/],
  ['an added token without text', changed((file) => file.added_tokens.push({ id: 9, content: '' })), /added token 4/],
  ['an unknown pre-tokenizer', changed((file) => (file.pre_tokenizer = { type: 'Mystery' })), /Mystery/],
  ['a broken pattern', changed((file) => (file.pre_tokenizer = { type: 'Split', pattern: { Regex: '(' } })), /regular exp/i],
  ['a decoder of no type', changed((file) => (file.decoder = {})), /"decoder" has no type/],
  [
    'a BOS that is no token',
    changed(
      (file) =>
        (file.post_processor = {
          type: 'TemplateProcessing',
          single: [{ SpecialToken: { id: '<no>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
        }),
    ),
    /<no>/,
  ],
])('tokenizer.json with %s is one error that names it', (_, text, reason) => {
  const attempt = () => load(text);
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(/\/model\/tokenizer\.json/);
  expect(attempt).toThrow(reason);
});

test('a tokenizer of another kind is unsupported, not corrupt', () => {
  const text = changed((file) => (file.model = { type: 'WordPiece', vocab: { a: 0 } }));
  expect(() => load(text)).toThrow(expect.objectContaining({ code: 'file-unsupported' }));
});

test('a broken neighbour is named by its own name', () => {
  expect(() => load(JSON.stringify(golden.tokenizer), { generationConfig: '{' })).toThrow(/\/model\/generation_config\.json/);
});

test('special tokens come from all the files that name them', () => {
  const tokenizer = load(JSON.stringify(golden.tokenizer), {
    tokenizerConfig: JSON.stringify({
      bos_token: { content: '<s>' },
      eos_token: '<|end|>',
      chat_template: [
        { name: 'tools', template: 'T' },
        { name: 'default', template: '{{ bos_token }}D' },
      ],
    }),
    generationConfig: JSON.stringify({ eos_token_id: [3, 2] }),
  });
  expect([tokenizer.bosId, tokenizer.eosId, tokenizer.padId, tokenizer.stopIds]).toEqual([1, 3, 3, [3, 2]]);
  expect(tokenizer.applyChatTemplate([])).toBe('<s>D');
});

const metadata = (source: Json, change: Json = {}) => new Map<string, GgufValue>(Object.entries({ ...source.gguf, ...change }));

test.each<[string, Map<string, GgufValue>, RegExp]>([
  ['no tokens', metadata(golden, { 'tokenizer.ggml.tokens': undefined }), /tokens is missing/],
  ['numbers for tokens', metadata(golden, { 'tokenizer.ggml.tokens': [1, 2] }), /tokens is missing/],
  ['no merges', metadata(golden, { 'tokenizer.ggml.merges': undefined }), /merges is missing/],
  ['no kind', metadata(golden, { 'tokenizer.ggml.model': undefined }), /model is missing/],
  ['an unknown kind', metadata(golden, { 'tokenizer.ggml.model': 'bert' }), /"bert"/],
  ['unknown word rules', metadata(golden, { 'tokenizer.ggml.pre': 'constructor' }), /"constructor"/],
  ['a BOS outside the vocabulary', metadata(golden, { 'tokenizer.ggml.bos_token_id': 5000 }), /5000/],
  ['too few scores', metadata(pieces, { 'tokenizer.ggml.scores': [0] }), /score/],
  [
    'an endless piece',
    metadata(pieces, {
      'tokenizer.ggml.tokens': [...pieces.gguf['tokenizer.ggml.tokens'].slice(0, -1), 'a'.repeat(1e6)],
    }),
    /long/,
  ],
])('a GGUF vocabulary with %s is one error that names the file', (_, entries, reason) => {
  const attempt = () => tokenizerFromGguf(entries, '/model.gguf');
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(/\/model\.gguf/);
  expect(attempt).toThrow(reason);
});

test('a token named __proto__ is a token like any other', () => {
  const tokens = [...golden.gguf['tokenizer.ggml.tokens'], '__proto__'];
  const types = [...golden.gguf['tokenizer.ggml.token_type'], 4];
  const tokenizer = tokenizerFromGguf(
    metadata(golden, { 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': types }),
    'model.gguf',
  );
  expect([...tokenizer.encode('__proto__', { addSpecialTokens: false })]).toEqual([tokens.length - 1]);
});

test('whatever stands in the place of any part, the outcome is a tokenizer or a UserError', () => {
  const paths = [
    ['model'],
    ['model', 'vocab'],
    ['model', 'merges'],
    ['model', 'merges', 0],
    ['added_tokens'],
    ['added_tokens', 0],
    ['added_tokens', 0, 'id'],
    ['added_tokens', 0, 'content'],
    ['normalizer'],
    ['pre_tokenizer'],
    ['pre_tokenizer', 'pretokenizers'],
    ['pre_tokenizer', 'pretokenizers', 0],
    ['post_processor'],
    ['post_processor', 'processors'],
    ['post_processor', 'processors', 1, 'single'],
    ['decoder'],
    ['decoder', 'type'],
  ];
  fc.assert(
    fc.property(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 3 }), (path, value) => {
      const text = changed((file) => {
        const parent = path.slice(0, -1).reduce<Json>((at, key) => at[key] as Json, file);
        parent[path.at(-1)!] = value;
      });
      try {
        load(text).encode('Some words, 12 numbers.');
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns: 300 },
  );
});
