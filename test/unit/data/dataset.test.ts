import { describe, expect, test } from 'vitest';
import { loadDataset, trainingData, type DatasetConfig } from '../../../src/core/data/dataset.js';
import { pathInside } from '../../../src/core/data/readSequences.js';
import { UserError } from '../../../src/core/errors.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { memoryFiles } from './memoryFiles.js';

const tokenizer = readTokenizerFolder(new URL('../../fixtures/models/tiny-llama', import.meta.url).pathname);
const defaults: DatasetConfig = {
  path: 'data.jsonl',
  format: 'auto',
  eval_path: null,
  eval_fraction: 0,
  max_seq_length: 256,
  train_on_prompt: false,
  seed: 1,
};
const load = (contents: string | Record<string, string>, config: Partial<DatasetConfig> = {}, vocabSize = 512) =>
  loadDataset(
    { ...defaults, ...config },
    tokenizer,
    memoryFiles(typeof contents === 'string' ? { [config.path ?? defaults.path]: contents } : contents),
    { vocabSize },
  );
const lines = (...values: unknown[]) => values.map((value) => JSON.stringify(value)).join('\n');
const learned = ({ inputIds, labels }: { inputIds: Int32Array; labels: Int32Array }) =>
  tokenizer.decode(inputIds.filter((_, index) => labels[index] !== -100));
const everything = ({ inputIds }: { inputIds: Int32Array }) => tokenizer.decode(inputIds);

describe('alpaca', () => {
  test('the prompts are Stanford’s, and the answer with EOS is what is learned', () => {
    const { training, report } = load(
      lines({ instruction: 'Add.', input: '1 2', output: '3' }, { instruction: 'Say hi.', input: '', output: ' hi\n' }),
    );
    expect(report.format).toBe('alpaca');
    expect(training.map(everything)).toEqual([
      '<s>Below is an instruction that describes a task, paired with an input that provides further context. Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n### Input:\n1 2\n\n### Response:3</s>',
      '<s>Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n### Instruction:\nSay hi.\n\n### Response: hi\n</s>',
    ]);
    expect(training.map(learned)).toEqual(['3</s>', ' hi\n</s>']);
  });

  test('with train_on_prompt all of it is learned', () => {
    const { training } = load(lines({ instruction: 'Add.', output: '3' }), { train_on_prompt: true });
    expect(training.map(learned)).toEqual(training.map(everything));
  });

  test('a JSON array gives what JSONL gives, with the lines where its elements begin', () => {
    const rows = [
      { instruction: 'a', output: 'b' },
      { instruction: 'c,]}', output: '"[{' },
      { instruction: 'é\\', output: '\n' },
    ];
    const array = load(`\n${JSON.stringify(rows, null, 2)}\n`);
    expect(array.fingerprint).toBe(load(lines(...rows)).fingerprint);
    expect(array.training.map(({ origin }) => origin)).toEqual(['data.jsonl:3', 'data.jsonl:7', 'data.jsonl:11']);
  });
});

describe('chat', () => {
  const turns = [
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Hello!' },
    { role: 'user', content: 'Bye' },
    { role: 'assistant', content: '\nSee you' },
  ];
  const laidOut =
    '<s><|start|>user\nHi<|end|>\n<|start|>assistant\nHello!<|end|>\n<|start|>user\nBye<|end|>\n<|start|>assistant\n\nSee you<|end|>\n';

  test('OpenAI and ShareGPT conversations are the same example, learned in the assistant’s turns alone', () => {
    const names = { user: 'human', assistant: 'gpt' } as Record<string, string>;
    const shareGpt = turns.map(({ role, content }) => ({ from: names[role], value: content }));
    const { training, report } = load(lines({ messages: turns }, { conversations: shareGpt, id: 7 }));
    expect(report.format).toBe('chat');
    expect(training.map(everything)).toEqual([laidOut, laidOut]);
    expect(training.map(learned)).toEqual(Array(2).fill('Hello!<|end|>\nSee you<|end|>'));
  });

  test('content in parts is joined; a picture is a reason to skip', () => {
    const parts = [
      { type: 'text', text: 'Hel' },
      { type: 'text', text: 'lo!' },
    ];
    const { training, report } = load(
      lines(
        { messages: [turns[0], { role: 'assistant', content: parts }] },
        { messages: [turns[0], { role: 'assistant', content: [{ type: 'image_url' }] }] },
        { messages: [turns[0]] },
      ),
    );
    expect(training.map(learned)).toEqual(['Hello!<|end|>']);
    expect(report.skipped).toEqual([
      { origin: 'data.jsonl:2', reason: 'message 2 has no role or no text' },
      { origin: 'data.jsonl:3', reason: 'it has no assistant message' },
    ]);
  });
});

test('long texts are taken in windows, all tokens once, EOS at the end', () => {
  const text = 'The loss falls. '.repeat(80);
  const { training, report } = load(text, { path: 'book.txt', max_seq_length: 32 });
  expect(report.format).toBe('text');
  expect(training.map(everything).join('')).toBe(`<s>${text}</s>`);
  expect(training.every(({ inputIds, labels }) => inputIds.length <= 32 && labels.join() === inputIds.join())).toBe(true);
});

test('code: files whole, what nobody wrote left out with the reason, split by file', () => {
  const files: Record<string, string> = {
    'src/package-lock.json': '{}',
    'src/app.min.js': 'x',
    'src/empty.ts': ' \n',
    'src/made.ts': '// @generated by a tool\nx',
    'src/data.ts': `x = "${'0'.repeat(6000)}"`,
  };
  for (let index = 0; index < 10; index++) files[`src/file${index}.ts`] = `export const x${index} = ${index};\n`.repeat(20);
  const { training, evaluation, report } = load(files, { path: 'src/', eval_fraction: 0.3, max_seq_length: 64 });
  expect(report.format).toBe('code');
  expect(report.leftOut).toEqual([
    { kind: 'generated', count: 2, files: [{ path: 'src/package-lock.json' }, { path: 'src/app.min.js' }] },
  ]);
  expect(report.skipped.map(({ origin }) => origin)).toEqual(['src/empty.ts', 'src/made.ts', 'src/data.ts']);
  expect(report.fileCount).toBe(10);
  const tokens = report.training.tokens + report.evaluation!.tokens;
  expect(report.files.reduce((sum, file) => sum + file.tokens, 0)).toBe(tokens);
  const [kept, heldOut] = [training, evaluation].map((set) => new Set(set.map(({ origin }) => origin)));
  expect(heldOut!.size).toBe(3);
  expect(kept!.size).toBe(7);
  expect([...kept!].filter((origin) => heldOut!.has(origin))).toEqual([]);
});

test('of a folder of source code, the first files are learned from until the tokens are reached; what is held out is beside that', () => {
  const text = (name: string): string => `export const ${name} = 1;\n`.repeat(10);
  const names = ['new', 'held', 'middle', 'long', 'old'];
  const files = memoryFiles(
    Object.fromEntries(names.map((name) => [`x/${name}.ts`, text(name).repeat(name === 'long' ? 9 : 1)])),
  );
  const opened = files.open('x/');
  if (opened.kind !== 'folder') throw new Error('not a folder');
  const place = { ...opened, heldOut: { by: 'git', paths: new Set(['x/held.ts']) } } as const;
  const read = (maxTokens: number | null) => {
    const config = { ...defaults, path: 'x/', eval_fraction: 0.2, max_tokens: maxTokens };
    const { training, evaluation, leftOut, report } = loadDataset(config, tokenizer, { open: () => place });
    const origins = (examples: typeof training) => [...new Set(examples.map(({ origin }) => origin))];
    expect(origins(evaluation)).toEqual(['x/held.ts']);
    return { learned: origins(training), older: leftOut.map(({ path, kind }) => [path, kind]), tokens: report.training.tokens };
  };
  const all = read(null);
  expect(all).toMatchObject({ learned: ['x/new.ts', 'x/middle.ts', 'x/long.ts', 'x/old.ts'], older: [] });
  // Names have one token or two, so the files differ a little.
  const two = all.tokens / 5;
  expect(read(Math.ceil(two))).toMatchObject({
    learned: ['x/new.ts', 'x/middle.ts'],
    // The last would still fit, but it is older than one that does not.
    older: [
      ['x/long.ts', 'older'],
      ['x/old.ts', 'older'],
    ],
  });
  expect(read(Math.ceil(two)).tokens).toBeLessThanOrEqual(Math.ceil(two));
  expect(read(1).learned, 'there is always something to learn from').toEqual(['x/new.ts']);
});

test.each([
  ['.', 'src/a.ts', 'src/a.ts'],
  ['./src', 'src/b/a.ts', 'b/a.ts'],
  ['src/', 'src/a.ts', 'a.ts'],
  ['../shop', '../shop/src/a.ts', 'src/a.ts'],
  ['/home/ada/shop', '/home/ada/shop/src/a.ts', 'src/a.ts'],
  ['C:\\shop', 'C:\\shop\\src\\a.ts', 'src/a.ts'],
])('of a folder written as %s, %s is told as %s', (folder, path, inside) => {
  expect(pathInside(folder, path)).toBe(inside);
});

test('a folder is a program where it holds any source, else data, else prose', () => {
  const row = '{"instruction": "Add.", "output": "3"}';
  const format = (contents: Record<string, string>) => load(contents, { path: 'x/' }).report.format;
  expect(format({ 'x/a.jsonl': row, 'x/README.md': 'Read me.', 'x/a.py': 'x = 1\n' })).toBe('code');
  expect(format({ 'x/README.md': 'Read me.', 'x/a.jsonl': row, 'x/logo.png': '' })).toBe('alpaca');
  expect(format({ 'x/README.md': 'Read me.', 'x/logo.png': '' })).toBe('text');
});

test('a folder of which nothing may be used says so', () => {
  const attempt = () => load({ 'x/logo.png': '', 'x/a.min.js': 'x' }, { path: 'x/' });
  expect(attempt).toThrow(/x\/ has no usable example.*2 files and folders in it were left out/);
});

describe('tokens', () => {
  test('labels are taken as they are; without labels all is learned', () => {
    const { training } = load(lines({ input_ids: [1, 5, 6, 7], labels: [-100, -100, 6, 7] }, { input_ids: [1, 5] }));
    expect(training.map(({ labels }) => [...labels])).toEqual([
      [-100, -100, 6, 7],
      [1, 5],
    ]);
  });

  test.each([
    [{ input_ids: [1, 512] }, /data\.jsonl:2.*512.*511/],
    [{ input_ids: [1, -1] }, /data\.jsonl:2.*-1/],
    [{ input_ids: [1, 2], labels: [-100, 600] }, /data\.jsonl:2.*600/],
  ])('an id outside the vocabulary ends it, with file and line: %j', (row, message) => {
    const attempt = () => load(lines({ input_ids: [1, 2] }, row));
    expect(attempt).toThrow(UserError);
    expect(attempt).toThrow(message);
  });
});

test('a tokenizer with more tokens than the model is refused by name', () => {
  expect(() => load('words and words', { path: 'a.txt' }, 300)).toThrow(/do not belong together/);
});

test('too long examples are cut, and counted; without an answer left they are skipped', () => {
  const { training, report } = load(
    lines(
      { instruction: 'Go on.', output: 'and '.repeat(500) },
      { instruction: 'Wait. '.repeat(500), output: 'Yes' },
      { instruction: 'Go.', output: 'Yes' },
    ),
  );
  expect(training[0]!.inputIds.length).toBe(256);
  expect(report.training.truncated).toBe(1);
  expect(report.training.examples).toBe(2);
  expect(report.skipped[0]).toEqual({
    origin: 'data.jsonl:2',
    reason: expect.stringMatching(/^cutting its \d+ tokens to 256 leaves nothing to learn from$/),
  });
});

test('broken lines are skipped with line and reason', () => {
  const good = lines({ instruction: 'a', output: 'b' });
  const { training, report } = load(
    [
      good,
      '{"instruction": "a", ',
      '',
      '[]',
      'null',
      lines({ instruction: 'a' }),
      lines({ instruction: 7, output: 'b' }),
      '['.repeat(3000),
      good,
    ].join('\n'),
  );
  expect(training.map(({ origin }) => origin)).toEqual(['data.jsonl:1', 'data.jsonl:9']);
  expect(report.skippedCount).toBe(6);
  expect(report.skipped.map(({ origin, reason }) => `${origin.split(':')[1]} ${reason}`)).toEqual([
    expect.stringMatching(/^2 not valid JSON/),
    '4 not a JSON object',
    '5 not a JSON object',
    '6 "output" is missing',
    '7 "instruction" is not a text',
    '8 the JSON is nested more than 64 deep',
  ]);
  expect(report.warnings.join()).toMatch(/6 records were skipped/);
});

test.each<[string, string, RegExp]>([
  ['an empty file', '', /data\.jsonl/],
  ['nothing but broken lines', '{"instruction": \n{"instruction"', /data\.jsonl/],
  ['fields of no known format', lines({ question: 'a', answer: 'b' }), /data\.jsonl:1.*question, answer.*alpaca/],
  [
    'rows without a token to learn',
    lines({ input_ids: [1, 2], labels: [1, -100] }),
    /no usable example.*data\.jsonl:1.*no tokens to learn/,
  ],
])('%s is refused', (_, text, message) => {
  const attempt = () => load(text);
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(message);
});

test('the sample shows each token and whether it is learned', () => {
  const { report } = load(lines({ input_ids: [1, 300, 2], labels: [1, -100, 2] }));
  expect(report.samples).toEqual([
    {
      origin: 'data.jsonl:1',
      cut: 0,
      tokens: [
        { id: 1, text: '<s>', learned: false },
        { id: 300, text: tokenizer.tokenText(300), learned: false },
        { id: 2, text: '</s>', learned: true },
      ],
    },
  ]);
  expect(report.training).toMatchObject({ examples: 1, tokens: 3, labelTokens: 1, longestLength: 3 });
});

test('a share is held out by the seed, the same each time; eval_path is taken as it is', () => {
  const rows = lines(...Array.from({ length: 40 }, (_, index) => ({ input_ids: [1, index + 5] })));
  const ids = (set: readonly { inputIds: Int32Array }[]) => set.map(({ inputIds }) => inputIds[1]! - 5);
  const one = load(rows, { eval_fraction: 0.2 });
  expect(one.evaluation).toHaveLength(8);
  expect([...ids(one.training), ...ids(one.evaluation)].sort((a, b) => a - b)).toEqual([...Array(40).keys()]);
  expect(load(rows, { eval_fraction: 0.2 })).toEqual(one);
  expect(load(rows, { eval_fraction: 0.2, seed: 2 }).fingerprint).not.toBe(one.fingerprint);
  const other = load({ 'data.jsonl': rows, 'held.jsonl': lines({ input_ids: [1, 9] }) }, { eval_path: 'held.jsonl' });
  expect([other.training.length, ids(other.evaluation)]).toEqual([40, [4]]);
});

test('every batch of every epoch can be had by itself, and has something to learn', () => {
  const rows = lines(...Array.from({ length: 23 }, (_, index) => ({ input_ids: Array(2 + ((index * 7) % 40)).fill(index + 5) })));
  const dataset = load(rows, { eval_fraction: 0.1, max_seq_length: 40 });
  for (const packing of [false, true]) {
    const options = { batchSize: 4, maxSequenceLength: 40, packing, shuffle: true, seed: 3, padId: 0 };
    const whole = trainingData(dataset, options);
    const epochs = [0, 1, 2].map((epoch) =>
      Array.from({ length: whole.epoch(epoch).count }, (_, index) => whole.epoch(epoch).batch(index)),
    );
    expect(trainingData(dataset, options).epoch(2).batch(1)).toEqual(epochs[2]![1]);
    expect(epochs[1]).not.toEqual(epochs[0]);
    for (const batch of epochs.flat()) expect(batch.labelTokens).toBeGreaterThan(0);
  }
});
