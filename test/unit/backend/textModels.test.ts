import { expect, test } from 'vitest';
import { TextModels, type ReadyModel } from '../../../src/backend/textModels.js';
import { UserError, type ErrorCode } from '../../../src/core/errors.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { FailingDevice } from '../../support/failingDevice.js';

const path = 'test/fixtures/models/tiny-llama';
const request = { promptIds: [1, 2, 3], adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: 4, endIds: [] };
const write = ({ textModel }: ReadyModel) => textModel.generate(request, () => true);

test('a model whose device is lost fails once; the next request loads it anew', async () => {
  let loads = 0;
  const models = new TextModels({ device: 'webgpu', threads: 1 }, async () => {
    const model = loadModel(path);
    const device = new CpuDevice(1);
    const textModel = await createTextModel(model.weights, loads++ === 0 ? new FailingDevice(device, 'decode', 3, true) : device, 'fp32');
    return { ...model, textModel };
  });
  await expect(models.use(path, write)).rejects.toThrow('The GPU failed: injected.');
  expect((await models.use(path, write)).ids).toHaveLength(4);
  expect((await models.use(path, write)).ids).toHaveLength(4);
  expect(loads).toBe(2);
});

test.each<[ErrorCode, number]>([['out-of-memory', 2], ['data-invalid', 1]])('after %s it is loaded %i times for two requests', async (code, expected) => {
  let loads = 0;
  const models = new TextModels({ device: 'cpu', threads: 1 }, async () => {
    loads++;
    const model = loadModel(path);
    return { ...model, textModel: await createTextModel(model.weights, new CpuDevice(1), 'fp32') };
  });
  await expect(models.use(path, () => Promise.reject(new UserError(code, 'No.')))).rejects.toThrow('No.');
  await models.use(path, write);
  expect(loads).toBe(expected);
});
