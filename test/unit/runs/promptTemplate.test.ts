import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { prepareRun } from '../../../src/runs/prepareRun.js';
import { templateFor } from '../../../src/runs/promptTemplate.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';

const model = resolve('test/fixtures/models/tiny-llama');
const tokenizer = readTokenizerFolder(model);
const question = { role: 'user', content: 'Why?' };

test.each([
  ['questions.jsonl', JSON.stringify({ messages: [question, { role: 'assistant', content: 'So.' }] }), 'chat'],
  ['tasks.jsonl', JSON.stringify({ instruction: 'Say it.', output: 'It.' }), 'alpaca'],
  ['rows.jsonl', JSON.stringify({ text: 'Some words to learn.' }), 'none'],
  ['prose.txt', 'Some words to learn, and some more.', 'none'],
  ['program.py', 'def add(a, b):\n    return a + b\n', 'none'],
])('after training on %s prompts are dressed alike, though the data is gone', async (name, content, template) => {
  const folder = mkdtempSync(join(tmpdir(), 'template-'));
  writeFileSync(join(folder, name), content);
  const json = { model, data: { path: name, eval_fraction: 0 }, lora: { r: 1 }, train: { max_steps: 1 } };
  const run = RunDirectory.create(join(folder, 'run'), parseRunConfig(JSON.stringify(json), join(folder, 'run.json')));
  await trainRun(run, { prepare: prepareRun });
  rmSync(join(folder, name));
  expect(templateFor(tokenizer, run.adapterPath)).toBe(template);
  rmSync(folder, { recursive: true });
});

test('what is known of no run is read as the model wants it', () => {
  expect(templateFor(tokenizer, undefined)).toBe(tokenizer.hasChatTemplate ? 'chat' : 'none');
});
