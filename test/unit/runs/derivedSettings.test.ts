import { expect, test } from 'vitest';
import { presetEdits, presets } from '../../../src/protocol/presets.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';
import { warmupSteps } from '../../../src/runs/derivedSettings.js';

test.each([
  [{ warmup_steps: null, warmup_ratio: 0.1 }, 10, 1],
  // transformers: math.ceil
  [{ warmup_steps: null, warmup_ratio: 0.03 }, 101, 4],
  [{ warmup_steps: null, warmup_ratio: 0 }, 10, 0],
  [{ warmup_steps: 100, warmup_ratio: 0.1 }, 10, 100],
  [{ warmup_steps: 0, warmup_ratio: 0.1 }, 10, 0],
])('%j of %i steps: %i', (train, total, expected) => expect(warmupSteps(train, total)).toBe(expected));

test.each(presets)('the preset $id comes to its learning rate in a run of ten steps', (preset) => {
  const json: Record<string, Record<string, unknown> | string> = { model: 'm', data: { path: 'd' }, lora: {}, train: {} };
  for (const { path, value } of presetEdits(preset))
    if (value !== undefined) (json[path[0]!] as Record<string, unknown>)[path[1]!] = value;
  const result = validateRunConfig(json);
  expect(result.ok && warmupSteps(result.config.train, 10)).toBeLessThan(5);
});
