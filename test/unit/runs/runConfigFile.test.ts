import { mkdtempSync, mkdirSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applyOverrides, parseRunConfig, readRunConfig } from '../../../src/runs/runConfigFile.js';

const file = join('/project', 'run.json');
const parse = (text: string, overrides: string[] = []) => parseRunConfig(text, file, overrides);

test('comments and trailing commas are allowed; an error tells line and column', () => {
  const text = '{\n  // the model\n  "model": "m",\n  "data": { "path": "d.json" },\n  "lora": {\n    "rnak": 4,\n  },\n}';
  expect(() => parse(text)).toThrowError(`${file}:6:5: lora.rnak is not a known setting; did you mean lora.r (rank)?`);
  expect(parse(text.replace('rnak', 'r')).lora.r).toBe(4);
});

test('every defect has a line of its own', () => {
  const text = '{"model": "m",\n"data": {"path": "d"},\n"lora": {"r": 0},\n"train": {"seed": -1}}';
  expect(() => parse(text)).toThrowError(
    `${file}:3:10: lora.r must be at least 1, not 0\n${file}:4:11: train.seed must be at least 0, not -1`,
  );
});

test.each([
  ['', 'is empty'],
  ['{"model": "m" "data": 1}', ':1:15: not valid JSON (comma expected)'],
  ['{"model": ', 'not valid JSON (value expected)'],
  ['['.repeat(200_000), 'nested too deeply'],
  ['{"model":"m","data":{"path":"d"},"__proto__":{"x":1}}', '__proto__ is not a known setting'],
])('not a config: %.30s', (text, message) => {
  expect(() => parse(text)).toThrowError(message);
  expect(() => parse(text)).toThrowError(file);
});

test('a file that is not there', () => {
  expect(() => readRunConfig('/nowhere/run.json')).toThrowError('/nowhere/run.json could not be read');
});

test('relative paths start at the folder of the file; a model may be a name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'run-config-'));
  mkdirSync(join(folder, 'tiny-model'));
  const path = join(folder, 'run.json');
  const read = (model: string) => {
    const lora = { init_from: '../adapter' };
    writeFileSync(path, JSON.stringify({ model, data: { path: '~/d.json', eval_path: 'e.json' }, lora }));
    return readRunConfig(path);
  };
  const config = read('tiny-model');
  expect(config.model).toBe(join(folder, 'tiny-model'));
  expect(config.data.path).toBe(join(homedir(), 'd.json'));
  expect(config.data.eval_path).toBe(join(folder, 'e.json'));
  expect(config.lora.init_from).toBe(join(folder, '..', 'adapter'));
  expect(read('HuggingFaceTB/SmolLM2-135M-Instruct').model).toBe('HuggingFaceTB/SmolLM2-135M-Instruct');
  expect(read('./missing').model).toBe(join(folder, 'missing'));
});

test('overrides are laid over the file before the check', () => {
  const text = '{"model": "m", "data": {"path": "d"}, "train": {"max_steps": 5}}';
  const config = parse(text, ['train.max_steps=20', 'lora.target_modules=["o_proj"]', 'data.format=alpaca', 'model=other/name']);
  expect(config.train.max_steps).toBe(20);
  expect(config.lora.target_modules).toEqual(['o_proj']);
  expect(config.data.format).toBe('alpaca');
  expect(config.model).toBe('other/name');
  expect(() => parse(text, ['train.max_step=20'])).toThrowError(
    '--set train.max_step=20: train.max_step is not a known setting; did you mean train.max_steps (maximum steps)?',
  );
  expect(() => parse(text, ['train.max_steps'])).toThrowError('expected SETTING=VALUE');
  expect(() => parse(text, ['model.r=1'])).toThrowError('--set model.r=1: model is not a section.');
});

test('an override named __proto__ reaches no prototype', () => {
  applyOverrides({}, ['__proto__.polluted=1']);
  expect({}).not.toHaveProperty('polluted');
});
