import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { mergeAdapters } from '../../../src/export/mergeAdapters.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import type { MergeRequest } from '../../../src/protocol/mergeAdapters.js';

const golden = (name: string) => `test/golden/merging/${name}`;
const never = new AbortController().signal;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'merge-'));
});

function request(changes: Partial<MergeRequest> = {}): MergeRequest {
  const adapters = [
    { path: golden('first'), weight: 0.75 },
    { path: golden('second'), weight: -1.5 },
  ];
  return { adapters, rank: null, out: join(folder, 'out'), ...changes };
}

test('without a limit, the sum is exact and needs no decomposition', async () => {
  const steps: unknown[] = [];
  const result = await mergeAdapters(request(), (progress) => steps.push(progress), never);
  expect(result).toEqual({ out: join(folder, 'out'), baseModel: 'gqa-tied', rank: 7, exactRank: 7, loss: null, warning: null });
  expect(steps).toEqual([]);
  expect(readAdapterFolder(result.out).lora).toMatchObject({ r: 7, alpha: 7 });
});

test('with a limit, progress counts the linears and the loss is told for each kind of them', async () => {
  const steps: { done: number; total: number }[] = [];
  const { loss, rank } = await mergeAdapters(request({ rank: 3 }), (progress) => steps.push(progress), never);
  expect(rank).toBe(3);
  expect(steps).toEqual(Array.from({ length: 10 }, (_, index) => ({ done: index + 1, total: 10 }))); // 5 linears, 2 layers
  expect(loss!.byLinear.map(({ linear }) => linear)).toEqual(['q_proj', 'k_proj', 'v_proj', 'o_proj', 'down_proj']);
  expect(loss!.energyKept).toBeCloseTo(1 - loss!.relativeError ** 2, 12);
});

test('a limit above the exact rank changes nothing', async () => {
  const bytes = async (rank: number | null, name: string) => {
    const { out, loss } = await mergeAdapters(request({ rank, out: join(folder, name) }), () => undefined, never);
    expect(loss).toBe(null);
    return readFileSync(join(out, 'adapter_model.safetensors')).toString('base64');
  };
  expect(await bytes(100, 'a')).toBe(await bytes(null, 'b'));
});

test('cancelled, it leaves nothing behind', async () => {
  const cancel = new AbortController();
  const merging = mergeAdapters(request({ rank: 2 }), ({ done }) => done === 3 && cancel.abort(), cancel.signal);
  await expect(merging).rejects.toMatchObject({ name: 'AbortError' });
  expect(readdirSync(folder)).toEqual([]);
});

test('what is there already is left alone, and DoRA is refused', async () => {
  const dora = [{ path: golden('dora'), weight: 1 }];
  await expect(mergeAdapters(request({ adapters: dora }), () => undefined, never)).rejects.toThrow(/dora is a DoRA adapter/);
  expect(existsSync(join(folder, 'out'))).toBe(false);
  await expect(mergeAdapters(request({ out: folder }), () => undefined, never)).rejects.toThrow(/exists already/);
});

test('bases of different names are worth a warning, the same base elsewhere is not', async () => {
  const renamed = (name: string, base: string) => {
    cpSync(golden('second'), join(folder, name), { recursive: true });
    const file = join(folder, name, 'adapter_config.json');
    const config = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify({ ...config, base_model_name_or_path: base }));
    return { path: join(folder, name), weight: 1 };
  };
  const merged = (name: string, base: string) => {
    const adapters = [{ path: golden('first'), weight: 1 }, renamed(name, base)];
    return mergeAdapters(request({ adapters, out: join(folder, `${name}-out`) }), () => undefined, never);
  };
  expect((await merged('moved', '/elsewhere/gqa-tied')).warning).toBe(null);
  expect((await merged('other', '/models/llama')).warning).toMatch(
    /first was trained on gqa-tied and .*other on \/models\/llama/,
  );
});
