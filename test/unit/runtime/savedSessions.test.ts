import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { greedy } from '../../../src/core/generate/sampling.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import type { WeightStore } from '../../../src/core/models/weights.js';
import { openModel, type OpenModel } from '../../../src/files/openModel.js';
import { savedSessionsOf } from '../../../src/files/savedSessions.js';
import type { DecodePrecision } from '../../../src/core/models/matrixForm.js';
import { loadTextModel } from '../../../src/runtime/engine.js';

const families = 'test/fixtures/models';
const limits = { smallest: 0, mostBytes: 1e9, spareBytes: 0 };
const promptIds = Array.from({ length: 40 }, (_, i) => (i * 37 + 5) % 250);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sessions-'));
  vi.stubEnv('LORA_WORKBENCH_CACHE', folder);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test.each(
  ['tiny-llama', 'gqa-tied', 'linear-rope-biases', 'qwen3', 'gemma3'].flatMap((family) =>
    (['fp32', 'int8', 'int4', 'integers'] as const).map((dtype) => ({ family, dtype })),
  ),
)(
  '$family in $dtype is the same to the bit when saved, and then mapped without reading the weights',
  async ({ family, dtype }) => {
    const model = open(join(families, family));
    const made = await written(loadTextModel(model.weights, engine(dtype)));
    expect(await written(load(model, dtype))).toEqual(made);
    const matrices = observed(model.weights);
    expect(await written(load({ ...model, weights: matrices.store }, dtype))).toEqual(made);
    expect(matrices.read.filter((name) => name.includes('layers'))).toEqual([]);
  },
);

test('what one load saves, another load at the same time uses, or saves itself', async () => {
  const model = open(join(families, 'tiny-llama'));
  const [first, second] = await Promise.all([written(load(model)), written(load(model))]);
  expect(first).toEqual(second);
  expect(sessions()).not.toEqual([]);
  expect(unfinished()).toEqual([]);
});

test.each([
  { damage: 'a lost end', change: (session: string) => truncateSync(join(session, 'weights.bin'), 5000) },
  { damage: 'a lost file', change: (session: string) => rmSync(join(session, 'weights.bin')) },
  { damage: 'another content', change: (session: string) => overwrite(join(session, 'model.onnx')) },
])('a saved session with $damage is made again', async ({ change }) => {
  const model = open(join(families, 'tiny-llama'));
  const made = await written(load(model));
  const before = sessions().map(sizes);
  sessions().forEach(change);
  expect(await written(load(model))).toEqual(made);
  expect(sessions().map(sizes)).toEqual(before);
});

test('a model that was changed gets sessions of its own, and the old ones go', async () => {
  const path = join(folder, 'model');
  cpSync(join(families, 'tiny-llama'), path, { recursive: true });
  const first = await written(load(open(path)));
  const [old] = models();
  cpSync(join(families, 'gqa-tied'), path, { recursive: true });
  expect(await written(load(open(path)))).not.toEqual(first);
  expect(models()).toHaveLength(1);
  expect(models()).not.toContain(old);
});

test('the sessions unused for longest make room; a model that has no room is used all the same', async () => {
  const [first, second] = ['tiny-llama', 'gqa-tied'].map((family) => open(join(families, family)));
  const made = await written(load(first!));
  const taken = sessions()
    .flatMap(sizes)
    .reduce((sum, bytes) => sum + bytes, 0);
  await written(load(second!, 'fp32', { ...limits, mostBytes: taken + 1e5 }));
  const left = models();
  expect(left).toHaveLength(1);
  expect(await written(load(first!, 'fp32', { ...limits, mostBytes: 1 }))).toEqual(made);
  expect(await written(load(first!, 'fp32', { ...limits, spareBytes: 1e18 }))).toEqual(made);
  // What cannot be saved in any case does not cost another model its sessions.
  expect(models()).toEqual(left);
});

test('a cache folder that cannot be written is no obstacle', async () => {
  writeFileSync(join(folder, 'file'), '');
  vi.stubEnv('LORA_WORKBENCH_CACHE', join(folder, 'file'));
  const model = open(join(families, 'tiny-llama'));
  expect(await written(load(model))).toEqual(await written(loadTextModel(model.weights, engine('fp32'))));
});

test('a process that cannot pack is no obstacle', async () => {
  const model = open(join(families, 'tiny-llama'));
  const made = await written(loadTextModel(model.weights, engine('fp32')));
  vi.spyOn(process, 'execPath', 'get').mockReturnValue('/bin/false');
  expect(await written(load(model))).toEqual(made);
  expect(sessions()).toEqual([]);
  expect(unfinished()).toEqual([]);
});

test('a small model is not saved', async () => {
  const model = open(join(families, 'tiny-llama'));
  await written(load(model, 'fp32', { ...limits, smallest: 1e9 }));
  expect(existsSync(join(folder, 'sessions'))).toBe(false);
});

function open(path: string): OpenModel {
  return openModel(path);
}

function engine(dtype: DecodePrecision) {
  return { device: 'cpu', threads: 1, base_dtype: dtype } as const;
}

function load(model: OpenModel, dtype: DecodePrecision = 'fp32', within = limits): Promise<TextModel> {
  return loadTextModel(model.weights, engine(dtype), { saved: savedSessionsOf(model.path, within) });
}

/** The logits after a prompt, and how the model goes on. */
async function written(loading: Promise<TextModel>) {
  const model = await loading;
  const logits = await model.logits(promptIds, null, 1);
  const request = { promptIds, adapter: null, adapterStrength: 1, sampling: greedy, endIds: [], maxNewTokens: 8 };
  const { ids } = await model.generate(request, () => undefined);
  await model.dispose();
  return { logits, ids };
}

/** Tells which weights are read. */
function observed(weights: WeightStore): { readonly store: WeightStore; readonly read: string[] } {
  const read: string[] = [];
  const store = new Proxy(weights, {
    get(target, property: keyof WeightStore) {
      const member = target[property];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (property.startsWith('read')) read.push(args[0] as string);
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return { store, read };
}

function models(): string[] {
  const path = join(folder, 'sessions');
  return existsSync(path) ? readdirSync(path) : [];
}

function sessions(): string[] {
  return models().flatMap((model) => {
    const path = join(folder, 'sessions', model);
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [join(path, entry.name)] : []));
  });
}

function sizes(session: string): number[] {
  return readdirSync(session).map((name) => statSync(join(session, name)).size);
}

function unfinished(): string[] {
  return models().flatMap((model) => readdirSync(join(folder, 'sessions', model)).filter((name) => name.startsWith('.')));
}

function overwrite(path: string): void {
  const { size } = statSync(path);
  truncateSync(path, 0);
  appendFileSync(path, Buffer.alloc(size, 0xff));
}
