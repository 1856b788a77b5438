import fc from 'fast-check';
import { expect, test } from 'vitest';
import { loadDataset } from '../../../src/core/data/dataset.js';
import { rowsOf } from '../../../src/core/data/rows/rows.js';
import { textFile } from '../../../src/core/data/source.js';
import { UserError } from '../../../src/core/errors.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { memoryFiles } from './memoryFiles.js';

const tokenizer = readTokenizerFolder(new URL('../../fixtures/models/tiny-llama', import.meta.url).pathname);
const formats = ['auto', 'alpaca', 'prompt-completion', 'chat', 'text', 'tokens', 'code'] as const;
const config = { eval_path: null, eval_fraction: 0.3, max_seq_length: 48, train_on_prompt: false, seed: 5 };

/** Loads the data and checks what every batch relies on; a UserError is just as good. */
function loadOrRefuse(path: string, text: string, format: (typeof formats)[number]): void {
  try {
    const { training, evaluation } = loadDataset({ ...config, path, format }, tokenizer, memoryFiles({ [path]: text }));
    expect(training.length).toBeGreaterThan(0);
    for (const { inputIds, labels } of [...training, ...evaluation]) {
      expect(inputIds.length).toBeLessThanOrEqual(48);
      expect(labels.length).toBe(inputIds.length);
      expect(inputIds.every((id) => id >= 0 && id < tokenizer.vocabSize)).toBe(true);
      expect(labels.subarray(1).some((label) => label !== -100)).toBe(true);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toContain(path);
  }
}

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('', ' ', '</s>', '\ud800', '__proto__', '<script>'),
);
const loose = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text);
const message = fc.oneof(
  fc.record({ role: fc.oneof(fc.constantFrom('user', 'assistant', 'system'), loose), content: loose }, { requiredKeys: [] }),
  fc.record({ from: fc.oneof(fc.constantFrom('human', 'gpt', 'toString'), loose), value: loose }, { requiredKeys: [] }),
  loose,
);
const row = fc.oneof(
  fc.record({ instruction: loose, input: loose, output: loose }, { requiredKeys: [] }),
  fc.record({ messages: fc.oneof(fc.array(message), loose) }),
  fc.record({ conversations: fc.array(message), system: loose }, { requiredKeys: ['conversations'] }),
  fc.record({ text: loose }),
  fc.record({ prompt: loose, completion: loose }),
  fc.record(
    { input_ids: fc.oneof(fc.array(fc.integer({ min: 0, max: 600 })), loose), labels: loose },
    { requiredKeys: ['input_ids'] },
  ),
  loose,
);
const rows = fc.array(row, { maxLength: 8 });
const asFile = fc.oneof(
  rows.map((values) => values.map((value) => JSON.stringify(value)).join('\n')),
  rows.map((values) => JSON.stringify(values, null, 1)),
  fc.tuple(rows, fc.nat(400)).map(([values, length]) => JSON.stringify(values).slice(0, length)),
  fc.string({ unit: 'binary' }),
);

test('whatever the file, the outcome is usable examples or a UserError that names it', () => {
  const path = fc.constantFrom('data.jsonl', 'data.json', 'data.csv', 'data.tsv', 'data.parquet', 'data.txt', 'data.py');
  fc.assert(fc.property(path, asFile, fc.constantFrom(...formats), loadOrRefuse), { numRuns: 1500 });
});

test('an array is read as JSON.parse reads it', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), fc.constantFrom(undefined, 1), (values, indent) => {
      const items = [...rowsOf(textFile('x.json', JSON.stringify(values, null, indent)))];
      expect(items.map((item) => ('value' in item ? item.value : item))).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test.each<[string, string]>([
  ['ten million brackets', '['.repeat(1e7)],
  ['a line of ten million objects', '{"a":'.repeat(2e6)],
  ['a list of ten million commas', `[${','.repeat(1e7)}]`],
  ['a giant line', `{"instruction": "${'x'.repeat(9 * 2 ** 20)}", "output": "y"}`],
  ['a giant element', `[{"instruction": "${'x'.repeat(9 * 2 ** 20)}", "output": "y"}]`],
  ['a string that never ends', `["${'\\'.repeat(1e6)}`],
])('%s is refused soon', (_, content) => {
  const start = performance.now();
  expect(() =>
    loadDataset({ ...config, path: 'd.json', format: 'alpaca' }, tokenizer, memoryFiles({ 'd.json': content })),
  ).toThrow(/d\.json/);
  expect(performance.now() - start).toBeLessThan(20_000);
});
