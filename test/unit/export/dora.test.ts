/** @file A DoRA adapter of PEFT (test/golden/make_merging.py), merged into its base. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { exportModel } from '../../../src/export/exportModel.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import type { ExportRequest } from '../../../src/protocol/export.js';
import { expectClose } from '../../support/tensors.js';

const judge = process.env.LORA_WORKBENCH_JUDGE;
const model = resolve('test/fixtures/models/gqa-tied');
const adapter = resolve('test/golden/merging/dora');
const never = new AbortController().signal;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dora-'));
});

const exported = (changes: Partial<ExportRequest>) =>
  exportModel(
    { model, adapter, to: 'merged', dtype: 'f32', strength: 1, out: join(folder, 'out'), ...changes },
    () => undefined,
    never,
  );

test('merged: the weights are those that PEFT merges', async () => {
  const { out, parity } = await exported({});
  expect(parity.relativeDifference).toBeLessThan(1e-5);
  expect(parity.sameFirst).toBe(parity.positions);
  const { weights } = openModel(out);
  for (const [name, { data }] of readTensorFile('test/golden/merging/dora.safetensors'))
    expectClose(weights.readFloat32(name), data, 1e-6, name);
  weights.close();
});

test.each(['gguf-lora', 'peft'] as const)('%s: refused with what can be done, and nothing is written', async (to) => {
  const out = join(folder, to === 'peft' ? 'out' : 'out.gguf');
  await expect(exported({ to, out })).rejects.toThrow(/DoRA.*Export it as a merged model/);
  expect(readdirSync(folder)).toEqual([]);
});

test.skipIf(!judge)(
  'transformers gets from the merged folder the logits that PEFT gets from base and adapter',
  async () => {
    const { out } = await exported({});
    const ids = join(folder, 'ids.json');
    writeFileSync(ids, JSON.stringify([[1, 60, 61, 62, 63, 64, 65, 66]]));
    const logits = (of: string, on: string) => {
      const { status, stdout, stderr } = spawnSync(judge!, ['test/judge/check_adapter.py', of, on, ids], { encoding: 'utf8' });
      expect(status, stderr).toBe(0);
      return (JSON.parse(stdout) as { data: number[] }).data;
    };
    expect(existsSync(out)).toBe(true);
    expectClose(logits(out, '-'), logits(model, adapter), 1e-5, 'logits');
  },
  120_000,
);
