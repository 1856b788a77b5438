/** How well a model predicts what was really written, against the forward pass of training. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { completionPrompt } from '../../../src/complete/context.js';
import { middleBits } from '../../../src/complete/middleBits.js';
import { ignoredLabel } from '../../../src/core/data/batch.js';
import { batchesForEpoch } from '../../../src/core/data/batches.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import { PartEncoder } from '../../../src/core/tokenizer/partEncoder.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { createEvaluator, loadTextModel } from '../../../src/runtime/engine.js';

const { weights, tokenizer } = loadModel('test/fixtures/models/tiny-llama');
const adapter = readAdapterFolder('test/golden/training/tiny-llama-final');
const cpu = { device: 'cpu', threads: 1, base_dtype: 'fp32' } as const;
let model: TextModel;
beforeAll(async () => {
  model = await loadTextModel(weights, cpu);
});
afterAll(async () => {
  await model.dispose();
  weights.close();
});

const prefix = 'def add(left: int, right: int) -> int:\n    ';
const middle = 'total = left + right\n    return total';

/** By the training engine: the loss of the middle's tokens after the same prompt. */
async function bitsByLoss(withAdapter: typeof adapter | null): Promise<number> {
  const promptIds = completionPrompt(tokenizer, null, { prefix, suffix: '' }, 200);
  const inputIds = Int32Array.from([...promptIds, ...new PartEncoder(tokenizer, null).onwards(middle)]);
  const labels = inputIds.map((id, index) => (index < promptIds.length ? ignoredLabel : id));
  const options = { batchSize: 1, maxSequenceLength: inputIds.length, packing: false, padId: tokenizer.padId };
  const order = { shuffle: false, seed: 0, epoch: 0 };
  const batch = batchesForEpoch([{ inputIds, labels, origin: 'here' }], options, order).batch(0);
  const evaluator = await createEvaluator({
    weights,
    adapter: withAdapter,
    engine: { ...cpu, gradient_checkpointing: 'off', layer_streaming: 'off', memory_check: 'warn' },
    batch: { batchSize: 1, sequenceLength: batch.sequenceLength },
  });
  try {
    return (await evaluator.evaluate(batch)).lossSum / Math.LN2;
  } finally {
    await evaluator.dispose();
  }
}

test.each([null, adapter])('the bits of a middle are those of the loss of training', async (each) => {
  const settings = { adapter: each, adapterStrength: 1, format: null, maxNewTokens: 64 };
  const request = { ...settings, model, tokenizer, prefix, suffix: '' };
  const bits = await middleBits(request, middle, new AbortController().signal);
  const expected = await bitsByLoss(each);
  expect(Math.abs(bits - expected)).toBeLessThan(1e-3 * expected);
  // What was read before changes nothing, and who has had enough gets nothing.
  expect(await middleBits(request, middle, new AbortController().signal)).toBe(bits);
  await expect(middleBits(request, middle, AbortSignal.abort())).rejects.toThrow();
});
