import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import type { RunConfig } from '../../../src/protocol/runConfig.js';
import { savedSteps } from '../../../src/runs/checkpoints.js';
import { OpenData } from '../../../src/runs/openData.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { preflight } from '../../../src/runs/preflight/preflight.js';
import { prepareRun, silentPorts } from '../../../src/runs/prepareRun.js';
import { parseRunConfig } from '../../../src/runs/runConfigFile.js';
import { readSamples } from '../../../src/runs/samplesFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { bundleForNode } from './bundle.js';

const model = fileURLToPath(new URL('../../fixtures/models/tiny-llama', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'prepare-'));
const adapter = join(folder, 'first', 'adapter');

beforeAll(() => {
  const fruits = ['apple', 'pear', 'plum', 'cherry', 'quince', 'fig', 'date', 'lime'];
  const rows = fruits.flatMap((fruit, index) =>
    [1, 2, 3].map((n) => ({
      instruction: `Say ${fruit} ${n} times.`,
      input: '',
      output: `${fruit} `.repeat(n) + index,
    })),
  );
  writeFileSync(join(folder, 'data.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
});

function config(...overrides: string[]): RunConfig {
  const json = {
    model,
    data: { path: 'data.jsonl', format: 'alpaca', max_seq_length: 128, eval_fraction: 0.1 },
    lora: { r: 4, dropout: 0.2 },
    train: {
      max_steps: 12,
      sample_prompts: 3,
      batch_size: 2,
      gradient_accumulation_steps: 2,
      warmup_steps: 2,
      learning_rate: 5e-3,
      eval_steps: 4,
      save_steps: 1,
    },
    engine: { threads: 1 },
  };
  return parseRunConfig(JSON.stringify(json), join(folder, 'run.json'), overrides);
}

const train = (run: RunDirectory) => trainRun(run, { prepare: prepareRun });

describe('the real engine', () => {
  const children: ChildProcess[] = [];
  afterEach(() => children.forEach((child) => child.kill('SIGKILL')));

  test('a run lowers the held-out loss; killed with -9 and resumed, it ends with the same adapter bytes', async () => {
    const unbroken = RunDirectory.create(join(folder, 'first'), config());
    expect(await train(unbroken)).toMatchObject({
      status: 'finished',
      step: 12,
      trainableParameters: 3 * 4 * (64 * 4),
    });
    const losses = readMetrics(unbroken.metricsPath).flatMap((metric) => ('eval_loss' in metric ? [metric.eval_loss] : []));
    expect(losses.at(-1)!).toBeLessThan(losses[0]! - 0.05);
    const samples = readSamples(unbroken.samplesPath);
    const [base, trained] = [0, 12].map((at) => samples.filter(({ step }) => step === at));
    expect(base!.map(({ prompt }) => prompt)).toEqual(trained!.map(({ prompt }) => prompt));
    expect(base![0]!.prompt).toMatch(/### Instruction:\nSay \w+ \d times\.\n\n### Response:/);
    expect(base![0]!.expected).toMatch(/^\s*(\w+ )+\d$/);
    expect(trained!.map(({ text }) => text)).not.toEqual(base!.map(({ text }) => text));

    const killed = RunDirectory.create(join(folder, 'killed'), config());
    const program = await bundleForNode('trainModelChild.ts');
    for (const step of [3, 7]) {
      const child = spawn(process.execPath, [program, killed.path], { stdio: 'inherit' });
      children.push(child);
      const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
      await expect
        .poll(() => savedSteps(killed.checkpointsPath).at(-1) ?? 0, { timeout: 40_000, interval: 5 })
        .toBeGreaterThanOrEqual(step);
      child.kill('SIGKILL');
      expect(await ended).toBe('SIGKILL');
      expect(killed.readState().status).toBe('interrupted');
    }
    await train(killed);
    const bytes = (run: RunDirectory) => readFileSync(join(run.adapterPath, 'adapter_model.safetensors')).toString('base64');
    expect(bytes(killed)).toBe(bytes(unbroken));
  });

  test('init_from starts where the other run ended', async () => {
    const prepared = await prepareRun(config(`lora.init_from=${adapter}`), silentPorts);
    const { parameters, firstMoments } = await prepared.runner.exportState();
    expect(parameters).toEqual(readAdapterFolder(adapter).parameters);
    expect([...firstMoments.values()].every(({ data }) => data.every((value) => value === 0))).toBe(true);
    await prepared.dispose();
  });

  test('a dry run reports, and trains and writes nothing', async () => {
    const report = await preflight(config('train.warmup_steps=50', 'train.eval_steps=1'));
    expect(report).toMatchObject({ format: 'alpaca', totalSteps: 12, trainableParameters: 3072, skippedCount: 0 });
    expect(report.training.examples + report.evaluation!.examples).toBe(24);
    expect(report.estimate.secondsPerStep).toBeGreaterThan(0);
    // Twelve steps, and thirteen evaluations at a third of the cost.
    expect(report.estimate.totalSeconds).toBeGreaterThan(report.estimate.secondsPerStep * 12);
    expect(report.warnings.join('\n')).toMatch(/The warm-up of 50 steps is as long as the run of 12/);
    expect(existsSync(join(folder, 'checkpoints'))).toBe(false);
  });

  test('what was measured before the first step leaves no trace in the run', async () => {
    const prepared = await prepareRun(config(), silentPorts);
    const before = await prepared.runner.exportState();
    const { measureStep } = await import('../../../src/runs/preflight/measureStep.js');
    await measureStep(prepared, config());
    expect(await prepared.runner.exportState()).toEqual(before);
    await prepared.dispose();
  });
});

test('what to say of a process that is killed while it loads, or later, is told', async () => {
  const told: (string | null)[] = [];
  const prepared = await prepareRun(config(), {
    ...silentPorts,
    setKilledMessage: (killedMessage) => told.push(killedMessage(1e15)),
  });
  await prepared.dispose();
  expect(told).toEqual([expect.stringMatching(/^The process ended unexpectedly\. It needed [\d.,]+ TB of the /)]);
});

test('epochs become steps, the last one of an epoch with what is left', async () => {
  // 22 examples in batches of 2: eleven micro-batches, six steps per epoch.
  const prepared = await prepareRun(config('train.max_steps=null', 'train.num_epochs=3'), silentPorts);
  expect(prepared.totalSteps).toBe(18);
  await prepared.dispose();
});

test('how the data falls into steps is part of its fingerprint', async () => {
  const fingerprints = new Set<string>();
  const variants = [
    [],
    ['train.batch_size=4'],
    ['train.gradient_accumulation_steps=4'],
    ['data.packing=true'],
    ['data.shuffle=false'],
  ];
  for (const overrides of variants) {
    const prepared = await prepareRun(config(...overrides), silentPorts);
    fingerprints.add(prepared.dataFingerprint);
    await prepared.dispose();
  }
  expect(fingerprints.size).toBe(variants.length);
});

describe('a model without tokenizer.json', () => {
  const withoutText = fileURLToPath(new URL('../../fixtures/models/gqa-tied', import.meta.url));
  const rows = Array.from({ length: 12 }, (_, row) => ({
    input_ids: Array.from({ length: 6 + row }, (_, at) => (7 * row + 3 * at) % 96),
  }));

  beforeAll(() => {
    const labels = rows[0]!.input_ids.map((id, at) => (at < 4 ? -100 : id));
    const lines = [{ ...rows[0], labels }, ...rows.slice(1)].map((row) => `${JSON.stringify(row)}\n`);
    writeFileSync(join(folder, 'ids.jsonl'), lines.join(''));
  });
  const ofIds = (...overrides: string[]) =>
    config(`model=${withoutText}`, 'data.path=ids.jsonl', 'data.format=tokens', 'data.max_seq_length=32', ...overrides);

  test('is trained on ids, which the preview shows as numbers; no answers are written, and the pre-flight says why', async () => {
    const report = await preflight(ofIds('data.shuffle=false'));
    expect(report).toMatchObject({ format: 'tokens', skippedCount: 0 });
    const first = report.samples.find(({ origin }) => origin.endsWith('ids.jsonl:1'))!;
    expect(first.tokens.map(({ text }) => text)).toEqual(rows[0]!.input_ids.map(String));
    expect(first.tokens.map(({ learned }) => learned)).toEqual([false, false, false, false, true, true]);
    expect(report.warnings.join('\n')).toContain(`${join(withoutText, 'tokenizer.json')} is missing`);

    const run = RunDirectory.create(join(folder, 'ids'), ofIds('train.max_steps=3'));
    expect(await train(run)).toMatchObject({ status: 'finished', step: 3 });
    expect(readSamples(run.samplesPath)).toEqual([]);
    expect(readAdapterFolder(run.adapterPath).parameters.size).toBe(2 * 2 * 2);
  });

  test('is looked through and searched by ids', async () => {
    const data = await OpenData.read(ofIds());
    expect(data.overview()).toMatchObject({ format: 'tokens', examples: 12 });
    const query = { text: rows[3]!.input_ids.join(' '), offset: 0, limit: 10 };
    const { examples } = await data.examples(query, new AbortController().signal);
    expect(examples.map(({ origin }) => origin)).toEqual([expect.stringMatching(/ids\.jsonl:4$/)]);
  });

  test('nothing is said of answers that nobody wants', async () => {
    expect((await preflight(ofIds('train.sample_prompts=0'))).warnings.join('\n')).not.toContain('tokenizer.json');
  });

  test('is not trained on text', async () => {
    await expect(prepareRun(ofIds('data.path=data.jsonl', 'data.format=alpaca'), silentPorts)).rejects.toMatchObject({
      code: 'file-not-found',
      message: expect.stringContaining('tokenizer.json is missing') as string,
    });
  });
});

describe('what does not fit together is refused with one clear error', () => {
  test.each([
    ['model=./nowhere', 'file-not-found', 'There is no model at'],
    ['data.path=nowhere.json', 'file-not-found', 'nowhere.json does not exist'],
    ['data.max_seq_length=4096', 'config-invalid', 'data.max_seq_length is 4096, but the model reads at most 1024 tokens'],
    ['lora.layers=[3]', 'config-invalid', "lora.layers names layer 3, but the model's layers are 0 to 2"],
  ])('%s', async (override, code, message) => {
    await expect(prepareRun(config(override), silentPorts)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['lora.r=8', 'its lora.r is 4'],
    ['lora.alpha=1', 'its lora.alpha is 16'],
    ['lora.target_modules=["q_proj"]', 'its lora.target_modules is q_proj,v_proj'],
    ['lora.layers=[1]', 'its lora.layers is 0,1,2'],
  ])('init_from an adapter, with %s', async (override, message) => {
    await expect(prepareRun(config(`lora.init_from=${adapter}`, override), silentPorts)).rejects.toMatchObject({
      code: 'adapter-mismatch',
      message: expect.stringContaining(message),
    });
  });
});
