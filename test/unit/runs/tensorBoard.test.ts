import { mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TensorBoardWriter } from '../../../src/runs/tensorBoard.js';

test("the events file is byte for byte that of TensorBoard's own writer", () => {
  const folder = mkdtempSync(join(tmpdir(), 'tensorboard-'));
  const writer = new TensorBoardWriter(folder, () => 1700000000500);
  writer.write({
    step: 1,
    loss: 2.5,
    learning_rate: 3e-4,
    grad_norm: 1.25,
    tokens: 100,
    tokens_per_second: 321.5,
    elapsed_seconds: 1,
    peak_memory_bytes: 1,
  });
  writer.write({ step: 300, eval_loss: 2.25 });
  const [file] = readdirSync(folder);
  expect(file).toMatch(/^events\.out\.tfevents\.1700000000\./);
  // Made by test/golden/make_tensorboard.py.
  const golden = readFileSync(new URL('../../golden/tensorboard.tfevents', import.meta.url));
  expect(readFileSync(join(folder, file!)).toString('hex')).toBe(golden.toString('hex'));
});
