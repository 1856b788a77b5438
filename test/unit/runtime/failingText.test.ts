import { describe, expect, test, vi } from 'vitest';
import { randomWeights, smolLm2 } from '../../../bench/shapes.js';
import { UserError } from '../../../src/core/errors.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import type { WeightStore } from '../../../src/core/models/weights.js';
import { openModel } from '../../../src/files/openModel.js';
import type { DeviceSetting } from '../../../src/runtime/chooseDevice.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import type { Device } from '../../../src/runtime/device.js';
import { loadTextModel } from '../../../src/runtime/engine.js';
import { FailingDevice } from '../../support/failingDevice.js';

const { weights } = openModel('test/fixtures/models/tiny-llama');
const request = { promptIds: [1, 2, 3], adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: 8, endIds: [] };

let gpu: Device;
vi.mock('../../../src/runtime/chooseDevice.js', () => ({
  chooseDevice: (setting: DeviceSetting) => Promise.resolve({ device: setting === 'cpu' ? new CpuDevice(1) : gpu, reason: '' }),
}));

describe('a GPU that fails', () => {
  const loadOn = (device: DeviceSetting, note?: (text: string) => void) =>
    loadTextModel(weights, { device, threads: 1, base_dtype: 'fp32' }, { ...(note && { note }) });

  test.each([
    { when: 'at the prompt', failsAt: 1 },
    { when: 'between two tokens', failsAt: 4 },
  ])('$when: where auto took it, the text goes on on the CPU as if nothing had been', async ({ failsAt }) => {
    const unbroken = await loadOn('cpu');
    const { ids } = await unbroken.generate(request, () => true);
    gpu = new FailingDevice(new CpuDevice(1), 'decode', failsAt, true);
    const notes: string[] = [];
    const model = await loadOn('auto', (text) => notes.push(text));
    const heard: number[] = [];
    expect(await model.generate(request, (id) => heard.push(id))).toMatchObject({ ids, finishReason: 'length' });
    expect(heard).toEqual(ids);
    expect((await model.generate(request, () => true)).ids).toEqual(ids);
    expect(notes).toEqual(['The GPU failed: injected. Text is generated on the CPU from now on.']);
    await model.dispose();
    await unbroken.dispose();
  });

  test('while several texts are written: all of them go on on the CPU, which is loaded once', async () => {
    const requests = [1, 2, 3, 4, 5, 6].map((id) => ({ ...request, promptIds: [id, 9, 8] }));
    const unbroken = await loadOn('cpu');
    const expected = await Promise.all(requests.map((each) => unbroken.generate(each, () => true)));
    gpu = new FailingDevice(new CpuDevice(1), 'decode', 15, true);
    const notes: string[] = [];
    const model = await loadOn('auto', (text) => notes.push(text));
    const written = await Promise.all(requests.map((each) => model.generate(each, () => true)));
    expect(written.map(({ ids }) => ids)).toEqual(expected.map(({ ids }) => ids));
    expect(notes).toHaveLength(1);
    await model.dispose();
    await unbroken.dispose();
  });

  test('while the model is loaded: so it is loaded on the CPU; a damaged file is not', async () => {
    gpu = new CpuDevice(1);
    gpu.compile = () => Promise.reject(new UserError('device-failed', 'The GPU failed.'));
    const model = await loadOn('auto');
    expect(model.description).toContain('CPU');
    await model.dispose();
    gpu.compile = () => Promise.reject(new UserError('file-corrupt', 'The file is damaged.'));
    await expect(loadOn('auto')).rejects.toThrow('The file is damaged.');
  });

  test('and was asked for by name: says so', async () => {
    gpu = new FailingDevice(new CpuDevice(1), 'decode', 4, true);
    const model = await loadOn('webgpu');
    await expect(model.generate(request, () => true)).rejects.toThrow('The GPU failed: injected.');
    await model.dispose();
  });
});

describe('where memory runs out, one message says what takes less', () => {
  /** Fails with V8's message. */
  const failing = (): never => {
    throw new RangeError('Array buffer allocation failed');
  };
  const load = (changes: Partial<WeightStore>, config = { ...smolLm2, layerCount: 1 }) =>
    loadTextModel({ ...randomWeights(config), ...changes }, { device: 'cpu', threads: 1, base_dtype: 'auto' });

  test('while the model is loaded', async () => {
    await expect(load({ readFloat32: failing })).rejects.toMatchObject({
      code: 'out-of-memory',
      message:
        'Memory ran out while the model was loaded (Array buffer allocation failed); the model’s weights alone take about 35.8 MB. What takes less: the model as a GGUF file in 4 bits (about 23.9 MB); a smaller model.',
    });
  });

  test('while text is written', async () => {
    const small = {
      ...smolLm2,
      layerCount: 1,
      vocabSize: 512,
      hiddenSize: 64,
      intermediateSize: 64,
      headCount: 1,
      keyValueHeadCount: 1,
    };
    const { readRows } = randomWeights(small);
    let isShort = false;
    const model = await load({ readRows: (...read) => (isShort ? failing() : readRows(...read)) }, small);
    isShort = true;
    await expect(model.generate(request, () => true)).rejects.toMatchObject({
      code: 'out-of-memory',
      message: expect.stringMatching(
        /^Memory ran out while text was being generated .* What takes less: a shorter prompt \(a token takes 512 B\); .*; a smaller model\.$/,
      ) as string,
    });
    await model.dispose();
  });
});
