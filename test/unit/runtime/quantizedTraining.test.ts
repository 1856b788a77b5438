import { readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { linearNames } from '../../../src/core/models/linears.js';
import { initialLoraState } from '../../../src/core/train/loraInit.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTokenizer } from '../../../src/files/tokenizerFiles.js';
import type { BaseDType } from '../../../src/core/models/matrixForm.js';
import { batchOf } from '../../support/batches.js';
import { createTrainer } from '../../support/trainer.js';

const steps = 30;
const [rowsPerBatch, rowLength] = [2, 32];

const { weights, tokenizerSource } = openModel('test/fixtures/models/tiny-llama');
const text = readFileSync('bench/data/qa.jsonl', 'utf8').slice(0, 12_000);
const ids = Array.from(readTokenizer(tokenizerSource).encode(text));
afterAll(() => weights.close());

// bench/quality.ts does the same on a real model; its figures are in docs/decisions/0009.
test('an adapter on 4-bit weights learns what one on fp32 weights learns', async () => {
  const inFp32 = await train('fp32');
  const inInt4 = await train('int4');
  expect(inInt4.first, 'it is rounded indeed').not.toBeCloseTo(inFp32.first, 4);
  expect(inFp32.last, 'it learns').toBeLessThan(0.75 * inFp32.first);
  expect(Math.abs(inInt4.last - inFp32.last) / inFp32.last).toBeLessThan(0.02);
}, 180_000);

// What counts is the adapter on the model as it is: the rounding is gone when the adapter is used.
test('an adapter trained on products in integers is as good on the fp32 model as one trained on it', async () => {
  const inFp32 = await train('fp32');
  const inInt8 = await train('int8');
  expect(inInt8.first, 'it is rounded indeed').not.toBeCloseTo(inFp32.first, 4);
  expect(inFp32.heldOut, 'it learns').toBeLessThan(0.75 * inFp32.first);
  expect(Math.abs(inInt8.heldOut - inFp32.heldOut) / inFp32.heldOut).toBeLessThan(0.01);
}, 180_000);

/** The first loss, the mean of the last ten, and the loss of the adapter on the fp32 model for rows it was not trained on. */
async function train(baseDType: BaseDType): Promise<{ first: number; last: number; heldOut: number }> {
  const lora = { r: 8, alpha: 16, useRslora: false, targetModules: linearNames, layers: null };
  const { parameters } = initialLoraState(weights.config, lora, 1);
  const runner = await createTrainer('', { lora, parameters }, { baseDType, weights });
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const rows = Array.from({ length: rowsPerBatch }, (_, row) => {
      const start = ((step - 1) * rowsPerBatch + row) * rowLength;
      return ids.slice(start, start + rowLength);
    });
    const { lossSum, labelTokens } = await runner.accumulate(batchOf(rows), 0);
    await runner.update({
      step,
      learningRate: 3e-3,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      labelTokens,
      maxGradNorm: 1,
    });
    losses.push(lossSum / labelTokens);
  }
  const { parameters: trained } = await runner.exportState();
  await runner.dispose();
  const judge = await createTrainer('', { lora, parameters: trained }, { weights });
  const heldOutRows = Array.from({ length: 8 }, (_, row) =>
    ids.slice((2 * steps + row) * rowLength, (2 * steps + row + 1) * rowLength),
  );
  const { lossSum, labelTokens } = await judge.evaluate(batchOf(heldOutRows));
  await judge.dispose();
  return { heldOut: lossSum / labelTokens, first: losses[0]!, last: losses.slice(-10).reduce((sum, loss) => sum + loss, 0) / 10 };
}
