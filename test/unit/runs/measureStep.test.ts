import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Batch } from '../../../src/core/data/batch.js';
import { measureStep } from '../../../src/runs/preflight/measureStep.js';
import { batchOf } from '../../support/batches.js';
import { fakeConfig, prepareFake } from './fakeRun.js';

test('the largest of the first batches is measured, and the time scaled to their mean', async () => {
  const config = fakeConfig('train.gradient_accumulation_steps=2');
  const prepared = await prepareFake(config);
  const batches = [32, 128, 64, 32].map((length) => batchOf([Array.from({ length }, () => 1)]));
  const measured: Batch[] = [];
  prepared.runner.accumulate = async (batch) => {
    measured.push(batch);
    await sleep(100);
    return { lossSum: 1, labelTokens: 1 };
  };
  const data = { epoch: () => ({ count: batches.length, batch: (index: number) => batches[index]! }), evaluation: null };
  const { secondsPerStep, totalSeconds } = await measureStep({ ...prepared, data }, config);
  expect(new Set(measured)).toEqual(new Set([batches[1]]));
  // Two micro-batches of 64 tokens on average, where 128 tokens take a tenth of a second, or more on a busy machine.
  expect(secondsPerStep).toBeGreaterThan(0.095);
  expect(secondsPerStep).toBeLessThan(0.19);
  expect(totalSeconds).toBe(secondsPerStep * prepared.totalSteps);
});
