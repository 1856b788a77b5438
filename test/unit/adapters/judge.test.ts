/**
 * @file Adapters that this program trains and saves, as read by PEFT itself. Runs live: needs LORA_WORKBENCH_JUDGE
 * (CONTRIBUTING.md).
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { LoraShape } from '../../../src/core/adapters/lora.js';
import type { Adapter } from '../../../src/core/adapters/peft.js';
import { linearNames } from '../../../src/core/models/linears.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { readAdapterFolder, writeAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { batchOf } from '../../support/batches.js';
import { expectClose, relativeDifference } from '../../support/tensors.js';
import { createTrainer } from '../../support/trainer.js';

const judge = process.env.LORA_WORKBENCH_JUDGE;
const folder = mkdtempSync(join(tmpdir(), 'judge-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rows = [
  [1, 60, 61, 62, 63, 64, 65, 66],
  [1, 90, 80, 70, 60, 50, 40, 30],
];
const plain = { r: 8, alpha: 16, layers: null, useRslora: false };

/** Logits [row, position, vocabulary] according to PEFT. */
function judged(model: string, adapter: string): number[] {
  const ids = join(folder, 'ids.json');
  writeFileSync(ids, JSON.stringify(rows));
  const { status, stdout, stderr } = spawnSync(judge!, ['test/judge/check_adapter.py', resolve(model), adapter, ids], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  expect(status, stderr).toBe(0);
  return (JSON.parse(stdout) as { data: number[] }).data;
}

test.skipIf(!judge).each<[string, LoraShape]>([
  ['tiny-llama', { ...plain, targetModules: ['q_proj', 'v_proj'] }],
  ['gqa-tied', { ...plain, targetModules: linearNames }],
  ['llama3-rope', { ...plain, r: 4, useRslora: true, layers: [0, 2], targetModules: ['k_proj', 'up_proj', 'down_proj'] }],
])(
  '%s: an adapter saved here gives the same logits in PEFT',
  async (name, lora) => {
    const model = `test/fixtures/models/${name}`;
    const { weights } = openModel(model);
    const { parameters } = initialLoraState(weights.config, lora, 3);
    const trainer = await createTrainer(name, { lora, parameters });
    for (let step = 1; step <= 5; step++) {
      const { labelTokens } = await trainer.accumulate(batchOf(rows), 0);
      await trainer.update({
        step,
        learningRate: 0.05,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0,
        labelTokens,
        maxGradNorm: 1,
      });
    }
    const adapter = join(folder, name);
    writeAdapterFolder(adapter, { lora, baseModel: name, parameters: (await trainer.exportState()).parameters }, 0.05);
    await trainer.dispose();

    const textModel = await createTextModel(weights, new CpuDevice(2), 'fp32');
    const logits = async (adapter: Adapter | null): Promise<number[]> => {
      const all: number[] = [];
      for (const row of rows)
        for (const end of row.keys()) all.push(...(await textModel.logits(row.slice(0, end + 1), adapter, 1)));
      return all;
    };
    const ours = await logits(readAdapterFolder(adapter));
    expectClose(ours, judged(model, adapter), 1e-4, 'logits');
    expect(relativeDifference(ours, await logits(null)), 'the adapter has learned something').toBeGreaterThan(0.01);
    await textModel.dispose();
  },
  300_000,
);
