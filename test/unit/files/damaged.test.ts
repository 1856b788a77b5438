/**
 * @file Damaged and absurd copies of every file that is read whole: each is soon read, or refused in one UserError that names it.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { freshProgress } from '../../../src/core/train/loop.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTokenizerFolder } from '../../../src/files/tokenizerFiles.js';
import { readCheckpoint, saveCheckpoint } from '../../../src/runs/checkpoints.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { readRunConfig } from '../../../src/runs/runConfigFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { damagedCopies } from '../formats/damagedCopies.js';
import { fixturePath, goldenPath, passesOrNames } from '../formats/memorySource.js';

const enoughTime = 10_000; // milliseconds; an undamaged file takes a few, and other tests run at the same time

let root: string;
const at = (...names: string[]): string => join(root, ...names);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'damaged-'));
  cpSync(goldenPath('adapters/patterns'), at('adapter'), { recursive: true });
  cpSync(fixturePath('models/llama3-rope'), at('sharded'), { recursive: true });
  cpSync(fixturePath('models/tiny-llama'), at('model'), { recursive: true });
  cpSync(goldenPath('torch/llama2'), at('meta'), { recursive: true });
  cpSync(goldenPath('tokenizer-models/bpe.model'), at('meta/tokenizer.model'));
  const lora = { r: 2, alpha: 4, targetModules: ['q_proj'], layers: [0], useRslora: false } as const;
  const state = initialLoraState(openModel(at('sharded')).weights.config, lora, 1);
  saveCheckpoint(at('checkpoints'), state, {
    progress: { ...freshProgress, step: 3 },
    seed: 1,
    dataFingerprint: 'x',
    baseDType: 'fp32',
  });
  writeFileSync(at('run.json'), '{"model": "/m", "data": {"path": "d", "eval_fraction": 0.1}, "train": {"max_steps": 5}}');
  RunDirectory.create(at('run'), readRunConfig(at('run.json')));
  const metric =
    '{"step":1,"loss":2,"learning_rate":1e-4,"grad_norm":1,"tokens":9,"tokens_per_second":5,"elapsed_seconds":1,"peak_memory_bytes":9}\n';
  writeFileSync(at('metrics.jsonl'), metric.repeat(3) + '{"step":3,"eval_loss":1}\n');
});
afterAll(() => rmSync(root, { recursive: true }));

const tokenize = () => readTokenizerFolder(at('model')).encode('Some words, 12 numbers.');
const converse = () => {
  const tokenizer = readTokenizerFolder(at('model'));
  if (tokenizer.hasChatTemplate) tokenizer.applyChatTemplate([{ role: 'user', content: 'Hi' }]);
};
const openAndClose = (folder: string) => openModel(folder).weights.close();

const readers: [string, () => unknown][] = [
  ['adapter/adapter_config.json', () => readAdapterFolder(at('adapter'))],
  ['adapter/adapter_model.safetensors', () => readAdapterFolder(at('adapter'))],
  ['sharded/model.safetensors.index.json', () => openAndClose(at('sharded'))],
  ['sharded/config.json', () => openAndClose(at('sharded'))],
  ['model/tokenizer.json', tokenize],
  ['model/tokenizer_config.json', converse],
  ['model/generation_config.json', tokenize],
  ['meta/params.json', () => openAndClose(at('meta'))],
  ['meta/consolidated.01.pth', () => openAndClose(at('meta'))],
  ['meta/tokenizer.model', () => readTokenizerFolder(at('meta'))],
  ['checkpoints/step-3/trainer.json', () => readCheckpoint(at('checkpoints', 'step-3'))],
  ['checkpoints/step-3/state.safetensors', () => readCheckpoint(at('checkpoints', 'step-3'))],
  ['run.json', () => readRunConfig(at('run.json'))],
  ['run/state.json', () => RunDirectory.open(at('run')).readState()],
  ['metrics.jsonl', () => readMetrics(at('metrics.jsonl'))],
];

/** Calls `look` while a file has other contents, then restores it. */
function withBytes<Outcome>(name: string, bytes: Uint8Array | string, look: () => Outcome): Outcome {
  const original = readFileSync(at(name));
  writeFileSync(at(name), bytes);
  try {
    const start = performance.now();
    const outcome = look();
    expect(performance.now() - start).toBeLessThan(enoughTime);
    return outcome;
  } finally {
    writeFileSync(at(name), original);
  }
}

describe.each(readers)('%s', (name, read) => {
  test('with bytes changed, left out, repeated or cut off', () => {
    expect(passesOrNames(root, read), 'undamaged it is read').toBe(true);
    let refused = 0;
    const damaged = damagedCopies(readFileSync(at(name)));
    fc.assert(
      fc.property(damaged, (bytes) => {
        if (!withBytes(name, bytes, () => passesOrNames(root, read))) refused++;
      }),
      { numRuns: 150 },
    );
    if (name !== 'metrics.jsonl') expect(refused).toBeGreaterThan(10);
  });

  const bombs: [string, string][] = [
    ['ten million brackets', '['.repeat(1e7)],
    ['two million objects in each other', '{"a":'.repeat(2e6)],
    ['four million empty lists', `{"a":[${'[],'.repeat(4e6)}[]]}`],
    ['lists in lists to a depth of 5000', `{"normalizer":${'['.repeat(5000)}${']'.repeat(5000)}}`],
    ['nothing', ''],
    ['null', 'null'],
    ['a list', '[1, "a", null]'],
    ['binary zeros', '\0'.repeat(1000)],
  ];
  test.each(bombs)('with %s in its place', (what, text) => {
    const passed = withBytes(name, text, () => passesOrNames(root, read));
    if (!/metrics|generation_config|tokenizer_config/.test(name)) expect(passed, what).toBe(false);
  });
});

test('a chat template that would run for hours, or write for ever, is refused', () => {
  const settings = JSON.parse(readFileSync(at('model', 'tokenizer_config.json'), 'utf8')) as object;
  for (const template of [
    '{% for i in range(900) %}{% for j in range(900) %}{% for k in range(900) %}x{% endfor %}{% endfor %}{% endfor %}',
    "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}",
    '{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}',
  ]) {
    const text = JSON.stringify({ ...settings, chat_template: template });
    expect(
      withBytes('model/tokenizer_config.json', text, () => passesOrNames(root, converse)),
      template,
    ).toBe(false);
  }
});
