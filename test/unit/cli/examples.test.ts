import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { settingSchema } from '../../../src/protocol/runConfigSchema.js';
import { readRunConfig } from '../../../src/runs/runConfigFile.js';

interface Row {
  instruction: string;
  input: string;
  output: string;
}

const read = (name: string): Row[] =>
  readFileSync(`examples/${name}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
const training = read('lora-workbench-qa.jsonl');
const heldOut = read('lora-workbench-qa-heldout.jsonl');
const question = ({ instruction, input }: Row) => `${instruction}\n${input}`;

describe('the example data set', () => {
  it('asks every question once, and holds out only questions that are never trained on', () => {
    const questions = [...training, ...heldOut].map(question);
    expect(new Set(questions).size).toBe(questions.length);
    expect(training.length).toBeGreaterThanOrEqual(300);
  });

  it('answers in whole short sentences', () => {
    const odd = [...training, ...heldOut].filter(({ output }) => !/[.]$/.test(output) || output.length > 260);
    expect(odd).toEqual([]);
  });

  it('tells the truth about the settings of run.json', () => {
    const claims = [...training, ...heldOut].filter(({ instruction }) => instruction === 'Name the run.json key.');
    expect(claims.length).toBeGreaterThan(5);
    for (const { output } of claims) {
      const [, key, value] = /^The key is ([\w.]+)\.(?: Its default is (.+?)(?:, which .*)?\.$)?/.exec(output)!;
      const schema = settingSchema(key!.split('.'));
      expect(schema, key).toBeDefined();
      if (value) expect(schema!.default, key).toEqual(JSON.parse(value));
    }
  });

  it('names only settings that exist', () => {
    const named = [...training, ...heldOut].flatMap(({ output }) => output.match(/\b(?:data|lora|train|engine)\.[a-z_]+/g) ?? []);
    const unknown = named.filter((key) => !settingSchema(key.split('.')));
    expect(unknown).toEqual([]);
  });
});

it('examples/run.json is valid and points at the example data', () => {
  const config = readRunConfig('examples/run.json');
  expect(config.data.path).toMatch(/lora-workbench-qa\.jsonl$/);
  expect(config.data.eval_path).toMatch(/lora-workbench-qa-heldout\.jsonl$/);
});
