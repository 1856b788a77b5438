import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { loadDataset, type DatasetConfig } from '../../../src/core/data/dataset.js';
import type { FittedExample } from '../../../src/core/data/report.js';
import { chooseMiddle, piecesOfSyntax } from '../../../src/core/data/middles.js';
import { learnedTokens } from '../../../src/core/data/sequence.js';
import { Random } from '../../../src/core/random.js';
import { vocabularyWith } from '../tokenizer/vocabulary.js';
import { memoryFiles } from './memoryFiles.js';

const markers = ['<|fim_prefix|>', '<|fim_middle|>', '<|fim_suffix|>', '<|fim_pad|>', '<|repo_name|>', '<|file_sep|>'];
const { tokenizer } = vocabularyWith('llama3', markers);
const source = Array.from(
  { length: 160 },
  (_, i) => `def f${i}(a, b):\n    if a > ${i}:\n        return [a, b]\n    return b\n`,
).join('\n');

const config: DatasetConfig = {
  path: 'adder/',
  format: 'code',
  eval_path: null,
  eval_fraction: 0,
  max_seq_length: 256,
  train_on_prompt: false,
  fim_rate: 1,
  seed: 1,
};
const load = (changes: Partial<DatasetConfig> = {}, vocabulary = tokenizer): readonly FittedExample[] =>
  loadDataset({ ...config, ...changes }, vocabulary, memoryFiles({ 'adder/src/f.py': source })).training;
const read = ({ inputIds }: FittedExample): string => tokenizer.decode(inputIds);
const isFillIn = (example: FittedExample): boolean => read(example).includes('<|fim_middle|>');

/** The text around the gap, the text in it, and what precedes the markers. */
function parts(example: FittedExample): { header: string; before: string; middle: string; behind: string } {
  const found = /^<s>(.*)<\|fim_prefix\|>(.*)<\|fim_suffix\|>(.*)<\|fim_middle\|>(.*)<\/s>$/s.exec(read(example));
  const [, header = '', before = '', behind = '', middle = ''] = found ?? [];
  return { header, before, middle, behind };
}

test('a gap, the text before and after it, and what fills it: exactly what the editor asks for, from the file as it is', () => {
  const examples = load().filter(isFillIn);
  expect(examples.length).toBeGreaterThan(10);
  for (const example of examples) {
    const { header, before, middle, behind } = parts(example);
    expect(header).toBe('<|repo_name|>adder\n<|file_sep|>src/f.py\n');
    expect(source).toContain(before + middle + behind);
    expect(middle.trim()).not.toBe('');
    expect(example.inputIds.length).toBeLessThanOrEqual(config.max_seq_length);
    expect(example.inputIds.at(-1), 'the end is learned').toBe(tokenizer.eosId);
    expect(example.labels).toEqual(example.inputIds);
  }
});

test('gaps are spread over the whole file', () => {
  const places = load()
    .filter(isFillIn)
    .map((example) => source.indexOf(parts(example).before) / source.length);
  expect(Math.min(...places)).toBeLessThan(0.1);
  expect(Math.max(...places)).toBeGreaterThan(0.8);
});

test('with the loss on the middle, only the middle and its end are learned', () => {
  for (const example of load({ fim_loss: 'middle' }).filter(isFillIn)) {
    const learned = tokenizer.decode(example.inputIds.filter((_, index) => example.labels[index] !== -100));
    expect(learned).toBe(`${parts(example).middle}</s>`);
  }
});

test('a share of 0.5 leaves about half of the windows as they are, of 0 all of them', () => {
  const windows = load({ fim_rate: 0 });
  const half = load({ fim_rate: 0.5 });
  expect(windows.some(isFillIn)).toBe(false);
  expect(half).toHaveLength(windows.length);
  const changed = half.filter(isFillIn).length;
  expect(changed / windows.length).toBeGreaterThan(0.3);
  expect(changed / windows.length).toBeLessThan(0.7);
  half.forEach((example, index) => {
    if (!isFillIn(example)) expect(example.inputIds).toEqual(windows[index]!.inputIds);
  });
  expect(learnedTokens(windows[0]!.labels)).toBeGreaterThan(0);
});

test('the same seed cuts the same gaps, another seed others', () => {
  expect(load().map(read)).toEqual(load().map(read));
  expect(load({ seed: 2 }).map(read)).not.toEqual(load().map(read));
});

test('the text after the gap comes first in as many examples as set', () => {
  const first = (changes: Partial<DatasetConfig>): string[] =>
    load(changes)
      .filter(isFillIn)
      .map((example) => /<\|fim_(prefix|suffix)\|>/.exec(read(example))![1]!);
  expect(new Set(first({}))).toEqual(new Set(['prefix']));
  expect(new Set(first({ fim_spm_rate: 1 }))).toEqual(new Set(['suffix']));
  expect(new Set(first({ fim_spm_rate: 0.5 }))).toEqual(new Set(['prefix', 'suffix']));
});

test('a model without such tokens learns source code from beginning to end', () => {
  const plain = vocabularyWith('llama3', []).tokenizer;
  expect(load({}, plain)).toEqual(load({ fim_rate: 0 }, plain));
});

test('pieces of syntax are arguments, what brackets enclose, statements and blocks that are indented', () => {
  const text = 'f(a, [b], "c")\nif x:\n    y = {z}\n    while y:\n        pass\nend';
  const pieces = piecesOfSyntax(text, 700).map(({ start, end }) => text.slice(start, end));
  const blocks = ['pass', 'y = {z}\n    while y:\n        pass'];
  const statements = ['end', 'f(a, [b], "c")', 'if x:', 'pass', 'while y:', 'y = {z}'];
  expect(new Set(pieces)).toEqual(new Set([...blocks, ...statements, 'a, [b], "c"', 'a', ' [b]', ' "c"', 'b', 'z']));
});

test('of the middles at syntax, a quarter each are what brackets enclose, arguments, blocks and statements', () => {
  const source = readFileSync('src/core/data/middles.ts', 'utf8');
  const pieces = piecesOfSyntax(source, 700);
  const kindOf = new Map(pieces.map(({ kind, start, end }) => [`${start}-${end}`, kind]));
  const counts = new Map<string | undefined, number>();
  const rounds = 4000;
  for (let seed = 0; seed < rounds; seed++) {
    const middle = chooseMiddle(source, pieces, { start: 0, end: source.length }, 700, new Random(seed));
    const kind = middle && kindOf.get(`${middle.start}-${middle.end}`);
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  for (const kind of ['enclosed', 'argument', 'block', 'statement'] as const)
    expect(counts.get(kind)! / rounds, kind).toBeCloseTo(1 / 8, 1);
});

test('a middle lies in the text, starts where it should, is no longer than 700 characters and never blank', () => {
  const texts = fc.array(fc.constantFrom('(', ')', '{', '}', '\n', '  ', 'x', ' y', '"', 'word'), {
    minLength: 1,
    maxLength: 400,
  });
  fc.assert(
    fc.property(texts, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (tokens, seed, share) => {
      const text = tokens.join('');
      const from = Math.min(text.length - 1, Math.floor(share * text.length));
      const within = { start: from, end: text.length };
      const middle = chooseMiddle(text, piecesOfSyntax(text, 700), within, 700, new Random(seed));
      if (!middle) return;
      expect(middle.start).toBeGreaterThanOrEqual(from);
      expect(middle.end).toBeLessThanOrEqual(text.length);
      expect(middle.end - middle.start).toBeLessThanOrEqual(700);
      expect(text.slice(middle.start, middle.end).trim()).not.toBe('');
    }),
  );
});
