/**
 * @file Exports as transformers, PEFT and llama.cpp read them: their logits, greedy continuations and token ids are those of base
 * and adapter here. Runs live: needs LORA_WORKBENCH_JUDGE (CONTRIBUTING.md).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LoraShape } from '../../../src/core/adapters/lora.js';
import { linearNames } from '../../../src/core/models/linears.js';
import { exportModel } from '../../../src/export/exportModel.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { loadModel } from '../../../src/files/loadModel.js';
import type { ExportTarget } from '../../../src/protocol/export.js';
import { streamedLogits } from '../../../src/runtime/streamedLogits.js';
import { writeRandomAdapter, writeRandomModel, type TokenizerKind } from '../../support/randomModel.js';

const judge = process.env.LORA_WORKBENCH_JUDGE;
const folder = mkdtempSync(join(tmpdir(), 'export-judge-'));
const place = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const request = {
  ids: [
    [1, 60, 261, 62, 300, 64, 65, 366, 90, 12],
    [1, 390, 80, 270, 60, 450, 40, 30, 601, 500],
  ],
  texts: ['def add(a, b):\n    return a + b  # 1234', "It's a   test, 今天天气很好 😀"],
  newTokens: 6,
};
const strength = 0.5;

interface Said {
  readonly logits?: ArrayLike<number>;
  /** By row and position. */
  readonly logProbabilities?: (number | null)[][][];
  readonly tokens: number[][];
  readonly greedy: number[][];
}

const all: LoraShape = { r: 8, alpha: 16, layers: null, useRslora: false, targetModules: linearNames };
const families: readonly {
  name: string;
  like: string;
  tokenizer: TokenizerKind;
  lora: LoraShape;
  alphas?: object;
  changes?: Record<string, unknown>;
}[] = [
  {
    name: 'llama',
    like: 'llama3-rope',
    tokenizer: 'llama3',
    lora: { ...all, r: 4, useRslora: true },
    alphas: { 'layers.0.self_attn.q_proj': 40 },
    // GGUF keeps only the divisors, which are known again if they are LLaMA 3's.
    changes: {
      rope_scaling: {
        rope_type: 'llama3',
        factor: 8,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 8192,
      },
    },
  },
  {
    name: 'qwen2',
    like: 'qwen2',
    tokenizer: 'qwen2',
    lora: { ...all, targetModules: ['q_proj', 'k_proj', 'v_proj', 'up_proj'] },
  },
  { name: 'gemma3', like: 'gemma3', tokenizer: 'sentencepiece', lora: { ...all, layers: [0, 5] } },
];

const ours = new Map<string, Required<Omit<Said, 'logProbabilities'>> & { vocabSize: number }>();
const byTransformers = new Map<string, Said>();

describe.skipIf(!judge)('exports', () => {
  beforeAll(async () => {
    for (const family of families) {
      const { name, lora } = family;
      const config = writeRandomModel(place(name), family.like, family.tokenizer, family.changes);
      writeRandomAdapter(place(`${name}-adapter`), config, lora, place(name));
      if (family.alphas) giveOwnAlphas(place(`${name}-adapter`), family.alphas);
      ours.set(name, await said(name));
      await write('merged', name, `${name}-merged`, true);
      await write('peft', name, `${name}-peft`, true);
      await write('gguf', name, `${name}-merged.gguf`, true);
      await write('merged', `${name}-merged.gguf`, `${name}-back`, false);
      await write('gguf', name, `${name}.gguf`, false);
      await write('gguf-lora', name, `${name}-lora.gguf`, true);
    }
    askTransformers();
  }, 1_200_000);

  describe.each(families.map(({ name }) => name))('%s', (name) => {
    test.each(['merged', 'peft', 'back'])('%s, in transformers and PEFT', (form) => {
      expectOurs(name, byTransformers.get(`${name}-${form}`)!);
    });

    test('merged, in llama.cpp', () => expectOurs(name, byLlamaCpp(`${name}-merged.gguf`)), 300_000);
    test('base and adapter, in llama.cpp', () => expectOurs(name, byLlamaCpp(`${name}.gguf`, `${name}-lora.gguf`)), 300_000);
  });
});

async function write(to: ExportTarget, model: string, out: string, withAdapter: boolean): Promise<void> {
  const adapter = withAdapter ? place(`${model}-adapter`) : null;
  const { parity } = await exportModel(
    { model: place(model), adapter, to, dtype: 'f32', strength: withAdapter ? strength : 1, out: place(out) },
    () => undefined,
    new AbortController().signal,
  );
  expect(parity.relativeDifference).toBeLessThan(1e-5);
}

/** As PEFT writes it if some linears are scaled by themselves. */
function giveOwnAlphas(adapter: string, alphas: object): void {
  const path = join(adapter, 'adapter_config.json');
  const config = JSON.parse(readFileSync(path, 'utf8')) as object;
  writeFileSync(path, JSON.stringify({ ...config, alpha_pattern: alphas }));
}

/** What base and adapter say here. */
async function said(name: string) {
  const { weights, tokenizer } = loadModel(place(name));
  const adapter = readAdapterFolder(place(`${name}-adapter`));
  const { vocabSize } = weights.config;
  const logitsOf = (ids: number[][]) =>
    streamedLogits({ weights, adapter, strength, ids, threads: 2, onLayer: () => Promise.resolve() });
  const greedy = [];
  for (const row of request.ids) {
    const ids = [...row];
    while (ids.length < row.length + request.newTokens) {
      const last = (await logitsOf([ids])).subarray(-vocabSize);
      ids.push(last.indexOf(Math.max(...last)));
    }
    greedy.push(ids.slice(row.length));
  }
  const logits = await logitsOf(request.ids);
  weights.close();
  const tokens = request.texts.map((text) => [...tokenizer.encode(text, { addSpecialTokens: false })]);
  return { logits, tokens, greedy, vocabSize };
}

/** All at once: starting takes most of the time. */
function askTransformers(): void {
  const asked = families.flatMap(({ name }) => [
    [`${name}-merged`, place(`${name}-merged`), null],
    [`${name}-peft`, place(name), place(`${name}-peft`)],
    [`${name}-back`, place(`${name}-back`), null],
  ]);
  const answers = run(judge!, ['test/judge/check_export.py', requestFile(asked.map(([, ...model]) => model))]) as Said[];
  asked.forEach(([name], index) => byTransformers.set(name!, answers[index]!));
}

function byLlamaCpp(model: string, adapter?: string): Said {
  const args = ['test/judge/llamaCpp.mjs', place(model), adapter ? place(adapter) : '-', requestFile([])];
  return run(process.execPath, args) as Said;
}

function requestFile(models: unknown): string {
  writeFileSync(place('request.json'), JSON.stringify({ ...request, models }));
  return place('request.json');
}

function run(command: string, args: string[]): unknown {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout.split('\n').findLast((line) => /^[{[]/.test(line))!);
}

function expectOurs(name: string, { logits, logProbabilities, tokens, greedy }: Said): void {
  const own = ours.get(name)!;
  if (logits) expect(largestDifference(logits, own.logits)).toBeLessThan(1e-3);
  // llama.cpp looks Gemma's activation up in a table of 16-bit floats.
  const tolerance = name === 'gemma3' ? 1e-2 : 1e-3;
  if (logProbabilities) expect(largestDifference(...withoutZeros(logProbabilities.flat(), own))).toBeLessThan(tolerance);
  expect(tokens).toEqual(own.tokens);
  expect(greedy).toEqual(own.greedy);
}

function largestDifference(theirs: ArrayLike<number>, own: ArrayLike<number>): number {
  expect(theirs.length).toBe(own.length);
  return Array.from(theirs).reduce((largest, value, i) => Math.max(largest, Math.abs(value - own[i]!)), 0);
}

/** Theirs and ours as logarithms of probabilities, without those that are too small to be told. */
function withoutZeros(theirs: (number | null)[][], { logits, vocabSize }: { logits: ArrayLike<number>; vocabSize: number }) {
  const pairs = theirs.flatMap((row, position) => {
    const own = Array.from({ length: vocabSize }, (_, id) => logits[position * vocabSize + id]!);
    const largest = Math.max(...own);
    const total = largest + Math.log(own.reduce((sum, value) => sum + Math.exp(value - largest), 0));
    return row.flatMap((value, id) => (value === null ? [] : [[value, own[id]! - total] as const]));
  });
  expect(pairs.length).toBeGreaterThan(0.9 * logits.length);
  return [pairs.map(([their]) => their), pairs.map(([, our]) => our)] as const;
}
