/** Retrieval from this project's own source code, compared with BM25 written down from its definition. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { completionPrompt } from '../../../src/complete/context.js';
import { ChunkIndex, type IndexedFile } from '../../../src/complete/retrieval/chunkIndex.js';
import { codeTerms } from '../../../src/complete/retrieval/codeTerms.js';
import { othersFor, queryAt, retrieve } from '../../../src/complete/retrieval/retrieve.js';
import { choosePositions } from '../../../src/evaluation/positions.js';
import { recognizeFillInTheMiddle } from '../../../src/core/tokenizer/fillInTheMiddle.js';
import { vocabularyWith } from '../tokenizer/vocabulary.js';

const files: readonly IndexedFile[] = ['src/complete', 'src/evaluation', 'src/core/data'].flatMap((folder) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => {
      const file = `${folder}/${name}`;
      return { path: join(process.cwd(), file), file, text: readFileSync(file, 'utf8') };
    }),
);
const index = new ChunkIndex();
beforeAll(() => files.forEach((file) => index.add(file)));

test('identifiers are found whole and by their words', () => {
  expect(codeTerms('const maxNewTokens = HTTPServer.read_all(x, 42) + 名字;')).toEqual([
    'const',
    'maxnewtokens',
    'max',
    'new',
    'tokens',
    'httpserver',
    'http',
    'server',
    'read_all',
    'read',
    'all',
    '名字',
  ]);
});

interface Counted {
  readonly name: string;
  readonly counts: ReadonlyMap<string, number>;
}

function counted({ file, text }: Pick<IndexedFile, 'file' | 'text'>, chunk: number): Counted {
  const counts = new Map<string, number>();
  for (const term of codeTerms(text)) counts.set(term, (counts.get(term) ?? 0) + 1);
  return { name: `${file}#${chunk}`, counts };
}

/** Σ idf(t) · f · (k₁ + 1) / (f + k₁ · (1 − b + b · |D| / mean |D|)) over the query's distinct words; |D| counts distinct words. */
function bruteForce(chunks: readonly Counted[], query: string): ReadonlyMap<string, number> {
  const [k1, b] = [1.2, 0.75];
  const mean = chunks.reduce((sum, { counts }) => sum + counts.size, 0) / chunks.length;
  const scores = new Map<string, number>();
  for (const term of new Set(codeTerms(query))) {
    const having = chunks.filter(({ counts }) => counts.has(term));
    const idf = Math.log(1 + (chunks.length - having.length + 0.5) / (having.length + 0.5));
    for (const { name, counts } of having) {
      const f = counts.get(term)!;
      const score = (idf * f * (k1 + 1)) / (f + k1 * (1 - b + (b * counts.size) / mean));
      scores.set(name, (scores.get(name) ?? 0) + score);
    }
  }
  return scores;
}

function chunksByHand(among: readonly IndexedFile[]): readonly Counted[] {
  return among.flatMap(({ file, text }) => {
    const lines = text.split('\n');
    const pieces = Array.from({ length: Math.ceil(lines.length / 10) }, (_, at) => lines.slice(10 * at, 10 * at + 10).join('\n'));
    return pieces.flatMap((piece, at) => (piece.trim() === '' ? [] : [counted({ file, text: piece }, at)]));
  });
}

test('the order is that of BM25, also after files have been changed and removed', () => {
  const changed = new ChunkIndex();
  for (const file of files) changed.add({ ...file, text: `${file.text}\nexport const replaced = true;\n` });
  const [gone, ...kept] = files;
  for (const file of kept) changed.add(file);
  changed.remove(gone!.path);
  for (const [searched, among] of [
    [index, files],
    [changed, kept],
  ] as const) {
    const chunks = chunksByHand(among);
    for (const query of [
      'the middle of a held-out file',
      'choosePositions(files, count, seed)',
      'const tokens = tokenizer.encode(text)',
    ]) {
      const expected = bruteForce(chunks, query);
      const names = searched.find(query, '').map(({ file, text }) => {
        const lines = among.find((each) => each.file === file)!.text.split('\n');
        const at = lines.findIndex((_, line) => line % 10 === 0 && `${lines.slice(line, line + 10).join('\n')}\n` === text);
        return `${file}#${at / 10}`;
      });
      expect(names.length).toBe(expected.size);
      const scores = names.map((name) => expected.get(name)!);
      for (let at = 1; at < scores.length; at++) expect(scores[at]!).toBeLessThanOrEqual(scores[at - 1]! + 1e-9);
    }
  }
});

test('a word that is nearly everywhere is not searched for', () => {
  const common = new ChunkIndex();
  const lines = Array.from({ length: 5010 }, (_, at) => `shared word${at}`);
  common.add({ path: '/a.py', file: 'a.py', text: lines.join('\n') });
  expect(common.find('shared', '')).toEqual([]);
  expect(common.find('shared word4321', '').map(({ text }) => text.includes('word4321'))).toEqual([true]);
  common.add({ path: '/a.py', file: 'a.py', text: lines.slice(0, 20).join('\n') });
  expect(common.find('shared', '')).toHaveLength(2);
});

test('the most similar parts of other files come last, within their share of the prompt, and nothing of the file itself', () => {
  const { tokenizer } = vocabularyWith('llama3', [
    '<|fim_prefix|>',
    '<|fim_suffix|>',
    '<|fim_middle|>',
    '<|repo_name|>',
    '<|file_sep|>',
  ]);
  const format = recognizeFillInTheMiddle(tokenizer)!;
  const sources = files.map((file) => ({ ...file, repository: 'app' }));
  const positions = choosePositions(sources, 40, 7);
  expect(positions).toHaveLength(40);
  for (const position of positions) {
    const query = queryAt(position);
    const { path } = position.source;
    const others = retrieve(index, query, path);
    expect(others.length).toBeGreaterThan(0);
    expect(others.map(({ file }) => file)).not.toContain(position.source.file);
    expect(others.reduce((sum, { file, text }) => sum + file.length + text.length, 0)).toBeLessThanOrEqual(3 * 512);
    const [best] = index.find(query, path).filter(({ file, text }) => file.length + text.length <= 3 * 512);
    expect(others.at(-1)).toEqual({ file: best!.file, text: best!.text });
    const cursor = { ...position, file: position.source.file, ...othersFor(format, others) };
    expect(completionPrompt(tokenizer, format, cursor, 1024).length).toBeLessThanOrEqual(1024);
  }
});

test('the query is the lines around the cursor without the word that is being typed, and nothing of the middle', () => {
  const lines = (name: string, count: number) => Array.from({ length: count }, (_, at) => `${name}${at}`).join('\n');
  const query = queryAt({ prefix: `${lines('before', 20)}\nvalue = comp`, suffix: `)\n${lines('behind', 20)}` });
  expect(query).toBe([lines('before', 20).split('\n').slice(-9).join('\n'), 'value = ', ')', lines('behind', 4)].join('\n'));
});

test('a model that has learned no names of files is told nothing', () => {
  const others = [{ file: 'a.py', text: 'pass\n' }];
  const { tokenizer } = vocabularyWith('llama3', ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>']);
  const format = recognizeFillInTheMiddle(tokenizer);
  expect(format?.name).toBe('codegemma');
  expect([othersFor(format, others), othersFor(null, others)]).toEqual([{}, {}]);
});
