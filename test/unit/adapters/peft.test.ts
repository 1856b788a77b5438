import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loraParameters, loraScaling } from '../../../src/core/adapters/lora.js';
import { assembleAdapter, checkAdapterFits, parsePeftConfig, type Adapter } from '../../../src/core/adapters/peft.js';
import { llamaConfig } from '../../support/modelConfig.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { readAdapterFolder, writeAdapterFolder } from '../../../src/files/adapterFolder.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';

const golden = (path: string) => fileURLToPath(new URL(`../../golden/${path}`, import.meta.url));
const name = (linear: string, matrix: 'A' | 'B') => `base_model.model.model.layers.${linear}.lora_${matrix}.weight`;

const config = llamaConfig({});
const lora = { r: 2, alpha: 4, targetModules: ['q_proj', 'down_proj'] as const, layers: [1], useRslora: false };

/** scaling · B · A, in double precision. */
function delta(loraA: HostTensor, loraB: HostTensor, scaling: number): number[] {
  const [r, inFeatures] = loraA.shape as [number, number];
  const outFeatures = loraB.shape[0]!;
  return Array.from({ length: outFeatures * inFeatures }, (_, index) => {
    const [row, column] = [Math.floor(index / inFeatures), index % inFeatures];
    let sum = 0;
    for (let k = 0; k < r; k++) sum += loraB.data[row * r + k]! * loraA.data[k * inFeatures + column]!;
    return sum * scaling;
  });
}

describe("PEFT's own adapters", () => {
  test('one layer, two linears', () => {
    const adapter = readAdapterFolder(golden('adapters/one-layer'));
    expect(adapter.lora).toEqual({
      r: 2,
      alpha: 3,
      useRslora: false,
      targetModules: ['q_proj', 'v_proj'],
      layers: [1],
    });
    expect(adapter).toMatchObject({ baseModel: 'gqa-tied', isUniform: true });
  });

  test('rank-stabilised', () => {
    const { lora: shape } = readAdapterFolder(golden('adapters/rslora'));
    expect(shape).toMatchObject({ r: 4, alpha: 6, useRslora: true });
    expect(loraScaling(shape)).toBe(3);
  });

  test('all linears, listed by path, stored as bf16', () => {
    const adapter = readAdapterFolder(golden('adapters/bf16'));
    expect(adapter.lora.targetModules).toHaveLength(7);
    expect(adapter.isUniform).toBe(true);
  });

  test('ranks and alphas of their own: every linear adds what it added', () => {
    const adapter = readAdapterFolder(golden('adapters/patterns'));
    const stored = readTensorFile(golden('adapters/patterns/adapter_model.safetensors'));
    expect(adapter.lora).toMatchObject({ r: 4, alpha: 8, targetModules: ['q_proj', 'k_proj', 'up_proj'] });
    expect(adapter.isUniform).toBe(false);
    const ranks = {
      '0.self_attn.q_proj': [8, 4],
      '0.self_attn.k_proj': [8, 3],
      '1.self_attn.k_proj': [8, 4],
      '1.mlp.up_proj': [10, 2],
    };
    for (const [linear, [alpha, r]] of Object.entries(ranks)) {
      const expected = delta(stored.get(name(linear, 'A'))!, stored.get(name(linear, 'B'))!, alpha! / r!);
      const { parameters } = adapter;
      const ours = delta(parameters.get(name(linear, 'A'))!, parameters.get(name(linear, 'B'))!, loraScaling(adapter.lora));
      ours.forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 6));
    }
  });
});

test.each(['gqa-tied', 'linear-rope-biases', 'llama3-rope', 'mqa-f16'])(
  'written, an adapter of PEFT has its own bytes again: %s',
  (model) => {
    const original = golden(`training/${model}-final`);
    const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
    writeAdapterFolder(folder, readAdapterFolder(original), 0);
    const tensors = (of: string) => readFileSync(join(of, 'adapter_model.safetensors')).toString('base64');
    expect(tensors(folder)).toBe(tensors(original));
    const settings = (of: string) => JSON.parse(readFileSync(join(of, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
    const [ours, theirs] = [settings(folder), settings(original)];
    for (const [key, value] of Object.entries(ours)) {
      if (key === 'target_modules') expect([...(value as string[])].sort()).toEqual(theirs[key]);
      // Which layers: PEFT writes null for all of them.
      else if (key !== 'layers_to_transform' || theirs[key] !== null) expect([key, value]).toEqual([key, theirs[key]]);
    }
  },
);

test('an adapter written and read again is the same, bit for bit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
  const { parameters } = initialLoraState(config, lora, 1);
  writeAdapterFolder(folder, { lora, baseModel: '/models/base', parameters }, 0.1);
  const read = readAdapterFolder(folder);
  expect(read).toEqual({ lora, baseModel: '/models/base', parameters, isUniform: true });
  const json = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8')) as Record<string, unknown>;
  expect(json).toMatchObject({ lora_dropout: 0.1, layers_to_transform: [1], target_modules: ['q_proj', 'down_proj'] });
});

test('a linear adapted in one layer only is nothing in the others', () => {
  const tensors = new Map<string, HostTensor>([
    [name('0.self_attn.q_proj', 'A'), matrix(2, 12, 1)],
    [name('0.self_attn.q_proj', 'B'), matrix(12, 2, 1)],
    [name('1.mlp.down_proj', 'A'), matrix(2, 20, 1)],
    [name('1.mlp.down_proj', 'B'), matrix(12, 2, 1)],
  ]);
  const adapter = assembleAdapter(parsePeftConfig(peft({}), 'c'), tensors, 'f');
  expect([...adapter.parameters.keys()].sort()).toEqual(
    loraParameters(config, adapter.lora)
      .map((parameter) => parameter.name)
      .sort(),
  );
  expect(adapter.parameters.get(name('1.self_attn.q_proj', 'B'))!.data.every((value) => value === 0)).toBe(true);
  expect(adapter.parameters.get(name('1.mlp.down_proj', 'B'))!.data.every((value) => value === 1)).toBe(true);
  expect(adapter.isUniform).toBe(false);
});

function peft(changes: Record<string, unknown>): Record<string, unknown> {
  return { peft_type: 'LORA', r: 2, lora_alpha: 4, target_modules: ['q_proj'], bias: 'none', ...changes };
}

function matrix(rows: number, columns: number, value: number): HostTensor {
  return { shape: [rows, columns], data: new Float32Array(rows * columns).fill(value) };
}

describe('each defect of adapter_config.json is one clear error', () => {
  test.each([
    [[], 'file-corrupt', 'expected a JSON object'],
    [peft({ peft_type: 'IA3' }), 'file-unsupported', 'peft_type is "IA3"'],
    [peft({ r: 0 }), 'file-corrupt', 'r must be a positive number, not 0'],
    [peft({ r: 1.5 }), 'file-corrupt', 'r must be a positive number, not 1.5'],
    [peft({ lora_alpha: 'x' }), 'file-corrupt', 'lora_alpha must be a positive number, not "x"'],
    [peft({ init_lora_weights: 'pissa_niter_4' }), 'file-unsupported', 'init_lora_weights is "pissa_niter_4"'],
    [peft({ modules_to_save: ['lm_head'] }), 'file-unsupported', 'modules_to_save contains whole layers (["lm_head"])'],
    [peft({ bias: 'all' }), 'file-unsupported', 'bias is "all"'],
    [peft({ fan_in_fan_out: true }), 'file-unsupported', 'fan_in_fan_out'],
    [peft({ rank_pattern: { '(a+)+$': 3 } }), 'file-unsupported', 'a regular expression'],
    [peft({ alpha_pattern: { up_proj: -1 } }), 'file-corrupt', 'up_proj must be a positive number, not -1'],
  ])('%j', (json, code, message) => {
    expect(() => parsePeftConfig(json, 'adapter_config.json')).toThrowError(
      expect.objectContaining({ code, message: expect.stringMatching(/^adapter_config\.json/) }),
    );
    expect(() => parsePeftConfig(json, 'adapter_config.json')).toThrowError(message);
  });

  test('empty patterns and absent fields are nothing', () => {
    expect(parsePeftConfig(peft({ rank_pattern: {}, modules_to_save: null }), 'f')).toMatchObject({
      r: 2,
      baseModel: null,
    });
  });
});

describe('each defect of the tensors is one clear error', () => {
  const good = (): Map<string, HostTensor> =>
    new Map([
      [name('0.self_attn.q_proj', 'A'), matrix(2, 12, 1)],
      [name('0.self_attn.q_proj', 'B'), matrix(12, 2, 1)],
    ]);
  const assemble = (tensors: Map<string, HostTensor>): Adapter => assembleAdapter(parsePeftConfig(peft({}), 'c'), tensors, 'f');

  test.each<[string, (tensors: Map<string, HostTensor>) => unknown, string]>([
    ['no tensor', (t) => t.clear(), 'f contains no tensors'],
    ['a lone A', (t) => t.delete(name('0.self_attn.q_proj', 'B')), 'is alone'],
    ['an embedding', (t) => t.set('base_model.model.model.embed_tokens.lora_embedding_A', matrix(2, 2, 1)), 'embed_tokens'],
    ['a linear in the wrong place', (t) => t.set(name('0.mlp.q_proj', 'A'), matrix(2, 2, 1)), '0.mlp.q_proj'],
    [
      'another rank',
      (t) => t.set(name('0.self_attn.q_proj', 'A'), matrix(3, 12, 1)),
      'has shape [3, 12], which does not fit rank 2',
    ],
    ['NaN', (t) => t.set(name('0.self_attn.q_proj', 'A'), matrix(2, 12, NaN)), 'contains NaN or infinity'],
  ])('%s', (_, damage, message) => {
    const tensors = good();
    damage(tensors);
    expect(() => assemble(tensors)).toThrowError(message);
  });

  test('a model of another shape', () => {
    checkAdapterFits(assemble(good()), config, 'f');
    expect(() => checkAdapterFits(assemble(good()), { ...config, hiddenSize: 16 }, 'f')).toThrowError(
      'q_proj.lora_A.weight is [2, 12] where the model needs [2, 16]',
    );
    const deep = new Map([...good()].map(([key, tensor]) => [key.replace('layers.0', 'layers.7'), tensor]));
    expect(() => checkAdapterFits(assemble(deep), config, 'f')).toThrowError('it adapts layer 7, but the model has 2 layers');
  });
});

describe('a fresh adapter', () => {
  test('A is uniform in ±1/√in, B is zero, and the seed decides', () => {
    const wide = { ...lora, r: 64, targetModules: ['down_proj'] as const };
    const { parameters, firstMoments, secondMoments } = initialLoraState(config, wide, 5);
    const a = parameters.get(name('1.mlp.down_proj', 'A'))!;
    expect(a.shape).toEqual([64, 20]);
    const bound = 1 / Math.sqrt(20);
    expect(a.data.every((value) => Math.abs(value) <= bound)).toBe(true);
    // The mean and variance of U(−b, b) are 0 and b²/3; allow four standard errors over 1280 draws.
    const mean = a.data.reduce((sum, value) => sum + value, 0) / a.data.length;
    const variance = a.data.reduce((sum, value) => sum + value * value, 0) / a.data.length;
    expect(Math.abs(mean)).toBeLessThan((4 * bound) / Math.sqrt(3 * 1280));
    expect(variance).toBeCloseTo((bound * bound) / 3, 2);
    for (const zeros of [
      parameters.get(name('1.mlp.down_proj', 'B'))!,
      firstMoments.values().next().value!,
      secondMoments.values().next().value!,
    ]) {
      expect(zeros.data.every((value) => value === 0)).toBe(true);
    }
    expect(initialLoraState(config, wide, 5).parameters).toEqual(parameters);
    expect(initialLoraState(config, wide, 6).parameters).not.toEqual(parameters);
  });

  test('a layer the model lacks', () => {
    expect(() => initialLoraState(config, { ...lora, layers: [2] }, 1)).toThrowError(
      "lora.layers names layer 2, but the model's layers are 0 to 1.",
    );
  });
});
