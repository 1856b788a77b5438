import { describe, expect, test } from 'vitest';
import { baseDTypes, type BaseDType } from '../../../src/core/models/matrixForm.js';
import { withZeroMoments } from '../../../src/core/train/loraInit.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { createTrainer, type TrainingSetup } from '../../../src/runtime/engine.js';
import type { EngineOptions } from '../../../src/runtime/engineOptions.js';

const engine: EngineOptions = {
  device: 'cpu',
  base_dtype: 'auto',
  threads: 1,
  gradient_checkpointing: 'auto',
  layer_streaming: 'auto',
  memory_check: 'refuse',
};

function setup(more: Partial<TrainingSetup> = {}): TrainingSetup {
  const { weights } = openModel('test/fixtures/models/gqa-tied');
  const { lora, parameters } = readAdapterFolder('test/golden/training/gqa-tied-initial');
  return {
    weights,
    lora,
    dropout: 0,
    initialState: withZeroMoments(parameters),
    engine,
    batch: { batchSize: 2, sequenceLength: 32 },
    ...more,
  };
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
  const { runner, memory } = await createTrainer(
    setup({ weights: watched, onPlan: ({ estimate }) => events.push(`planned ${estimate.hostBytes}`) }),
  );
  await runner.dispose();
  expect(events[0]).toBe(`planned ${memory.estimate.hostBytes}`);
  expect(events[1]).toBe('read');
});

describe('a run that goes on keeps how its base was held', () => {
  async function resumed(
    resumedDType: BaseDType,
    base_dtype: EngineOptions['base_dtype'],
  ): Promise<{ description: string; notes: string[] }> {
    const notes: string[] = [];
    const { runner } = await createTrainer(
      setup({ resumedDType, engine: { ...engine, base_dtype }, note: (text) => notes.push(text) }),
    );
    await runner.dispose();
    return { description: runner.description, notes };
  }

  test.each(baseDTypes)('in %s, where auto may decide', async (resumedDType) => {
    const { description, notes } = await resumed(resumedDType, 'auto');
    expect(description).toBe(`CPU, 1 thread, ${resumedDType} base`);
    expect(notes).toContain(`The base is held in ${resumedDType}, as it was when the run began.`);
  });

  test('what the settings name is taken, with a warning where it differs', async () => {
    const { description, notes } = await resumed('fp32', 'int4');
    expect(description).toBe('CPU, 1 thread, int4 base');
    expect(notes).toContain(
      'warning: The base is held in int4 from here on; it was in fp32 before. The run continues, but its numbers will differ.',
    );
  });
});
