import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loraParameters } from '../../../src/core/adapters/lora.js';
import { llamaConfig } from '../../support/modelConfig.js';
import { linearNames, linearShape } from '../../../src/core/models/linears.js';
import { settingSchema } from '../../../src/protocol/runConfigSchema.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';
import { webviewStrings } from '../../../src/protocol/webviewStrings.js';
import { settingProblem } from '../../../webview/shared/settingProblem.js';
import { trainableParameters } from '../../../webview/shared/trainableParameters.js';
import { allSettingPaths } from '../../../webview/shared/settings.js';

describe('the check of a field', () => {
  const numbers = [-1, 0, 0.05, 0.5, 0.9, 1, 1.5, 2, 8, 1e-8, 4294967295, 1e12];
  const modules = fc.array(fc.constantFrom('q_proj', 'v_proj', 'nonsense', 3), { maxLength: 3 });
  const value = fc.oneof(
    fc.constantFrom<unknown>(...numbers, '', 'auto', 'cosine', 'x', true, false, null, {}),
    modules,
    fc.array(fc.constantFrom(0, 2, -1), { maxLength: 3 }),
  );

  // ajv, which the host uses, is the reference.
  test.each(allSettingPaths().map((path) => [path.join('.'), path] as const))('says of %s what the host says', (_, path) => {
    fc.assert(
      fc.property(value, (candidate) => {
        const json: Record<string, unknown> = { model: 'm', data: { path: 'd' } };
        if (path.length === 1) json[path[0]!] = candidate;
        else json[path[0]!] = { ...(json[path[0]!] as object | undefined), [path[1]!]: candidate };
        expect(settingProblem(settingSchema(path)!, candidate) === null).toBe(validateRunConfig(json).ok);
      }),
      { numRuns: 150 },
    );
  });
});

test('the form counts the parameters that training would train', () => {
  const llama = llamaConfig({
    vocabSize: 100,
    hiddenSize: 48,
    intermediateSize: 128,
    layerCount: 5,
    headCount: 6,
    keyValueHeadCount: 2,
    headDim: 8,
  });
  const linears = Object.fromEntries(linearNames.map((name) => [name, linearShape(llama, name)] as const));
  const shape = { model: 'm', layerCount: llama.layerCount, totalParameters: 1, linears };
  const targetModules = ['q_proj', 'k_proj', 'down_proj'] as const;
  for (const layers of [null, [0, 3]]) {
    const parameters = loraParameters(llama, { r: 6, alpha: 12, targetModules, layers, useRslora: false });
    const expected = parameters.reduce((sum, { shape: [rows, columns] }) => sum + rows * columns, 0);
    expect(trainableParameters(shape, 6, targetModules, layers)).toBe(expected);
  }
});

test('every setting has a title and an explanation', () => {
  for (const path of allSettingPaths()) {
    const key = `setting.${path.join('.')}`;
    expect(webviewStrings()[key], key).toMatch(/\S/);
    expect(webviewStrings()[`${key}.help`], key).toMatch(/\S/);
  }
  expect(webviewStrings()['setting.lora.use_rslora']).toBe('rsLoRA scaling');
  expect(webviewStrings()['setting.train.learning_rate']).toBe('Learning rate');
});
