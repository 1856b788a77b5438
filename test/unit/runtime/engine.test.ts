import { expect, test } from 'vitest';
import { withZeroMoments } from '../../../src/core/train/loraInit.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { createTrainer, type EngineOptions, type TrainingSetup } from '../../../src/runtime/engine.js';

const engine: EngineOptions = { device: 'cpu', base_dtype: 'auto', threads: 1, gradient_checkpointing: 'auto', layer_streaming: 'auto', memory_check: 'refuse' };

function setup(more: Partial<TrainingSetup> = {}): TrainingSetup {
  const { weights } = openModel('test/fixtures/models/gqa-tied');
  const { lora, parameters } = readAdapterFolder('test/golden/training/gqa-tied-initial');
  return { weights, lora, dropout: 0, initialState: withZeroMoments(parameters), engine, batch: { batchSize: 2, sequenceLength: 32 }, ...more };
}

test('what is planned is told before any weight is read', async () => {
  const { weights } = setup();
  const events: string[] = [];
  const watched = new Proxy(weights, {
    get(store, name) {
      if (String(name).startsWith('read')) events.push('read');
      return Reflect.get(store, name) as unknown;
    },
  });
  const { runner, memory } = await createTrainer(setup({ weights: watched, onPlan: ({ estimate }) => events.push(`planned ${estimate.hostBytes}`) }));
  await runner.dispose();
  expect(events[0]).toBe(`planned ${memory.estimate.hostBytes}`);
  expect(events[1]).toBe('read');
});
