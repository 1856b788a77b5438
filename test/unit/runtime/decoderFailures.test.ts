import { describe, expect, test, vi } from 'vitest';
import { prepareAdapter } from '../../../src/core/generate/preparedAdapter.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { Decoder } from '../../../src/runtime/decoder.js';
import type { Device } from '../../../src/runtime/device.js';
import { createTextModel } from '../../../src/runtime/onnxTextModel.js';
import { FailingDevice } from '../../support/failingDevice.js';

const { weights } = openModel('test/fixtures/models/tiny-llama');

describe('a decoder whose loading fails half-way disposes of the sessions it made, which hold the weights', () => {
  test.each([
    { when: 'the second session cannot be made', failsAt: 2, disposalFails: false },
    { when: 'nor disposed of the first', failsAt: 2, disposalFails: true },
  ])('$when: the failure is the one to tell', async ({ failsAt, disposalFails }) => {
    const device = new CpuDevice(1);
    const compile = device.compile.bind(device);
    let [asked, disposed] = [0, 0];
    vi.spyOn(device, 'compile').mockImplementation(async (...program) => {
      if (++asked === failsAt) throw new Error('no memory');
      const executable = await compile(...program);
      const dispose = async () => {
        disposed++;
        await executable.dispose();
        if (disposalFails) throw new Error('device lost');
      };
      return { ...executable, dispose };
    });
    await expect(Decoder.load(weights, device, 'fp32')).rejects.toThrow('no memory');
    expect(disposed).toBe(failsAt - 1);
  });

  test('the output matrix cannot be read', async () => {
    const device = new CpuDevice(1);
    const dispose = vi.fn(() => Promise.resolve());
    vi.spyOn(device, 'compile').mockImplementation(async (_, options) => {
      await options?.constants?.();
      return Promise.resolve({ run: () => Promise.reject(new Error('unused')), dispose });
    });
    const { weights } = openModel('test/fixtures/models/tiny-llama');
    const read = weights.readFloat32.bind(weights);
    vi.spyOn(weights, 'readFloat32').mockImplementation((name) => {
      if (name === 'model.norm.weight') throw new Error('cut off while in use');
      return read(name);
    });
    await expect(Decoder.load(weights, device, 'fp32')).rejects.toThrow('cut off');
    weights.close();
    expect(dispose).toHaveBeenCalledOnce();
  });
});

test('an adapter that is uploaded in part is released', async () => {
  const model = openModel('test/fixtures/models/gqa-tied').weights;
  const device = new CpuDevice(1);
  const decoder = await Decoder.load(model, device, 'fp32');
  const adapter = prepareAdapter(model.config, readAdapterFolder('test/golden/training/gqa-tied-initial'), 1);
  const upload = vi.spyOn(device, 'upload');
  const release = vi.spyOn(device, 'release');
  await decoder.uploadAdapter(adapter).then((tensors) => decoder.releaseAll(tensors));
  const tensors = upload.mock.calls.length;
  expect(tensors).toBeGreaterThan(1);
  upload.mockReset().mockImplementation(refusing(device, tensors));
  release.mockClear();
  await expect(decoder.uploadAdapter(adapter)).rejects.toThrow('no memory');
  expect(release).toHaveBeenCalledTimes(tensors - 1);
  await decoder.dispose();
});

test('a cache that could not grow is read anew, to the same text', async () => {
  const request = { adapter: null, adapterStrength: 1, sampling: greedy, endIds: [], maxNewTokens: 4 };
  const short = Array.from({ length: 500 }, (_, index) => (index * 7) % 60);
  const long = [...short, ...short];
  const unbroken = await createTextModel(weights, new CpuDevice(1), 'fp32');
  const expected = await unbroken.generate({ ...request, promptIds: long }, () => true);

  const model = await createTextModel(weights, new FailingDevice(new CpuDevice(1), 'grow-cache', 2, false), 'fp32');
  await model.generate({ ...request, promptIds: short }, () => true);
  await expect(model.generate({ ...request, promptIds: long }, () => true)).rejects.toThrow('The GPU failed');
  expect((await model.generate({ ...request, promptIds: long }, () => true)).ids).toEqual(expected.ids);
  await Promise.all([model.dispose(), unbroken.dispose()]);
});

function refusing(device: Device, at: number): Device['upload'] {
  const { upload } = CpuDevice.prototype;
  let asked = 0;
  return (...tensor) => (++asked === at ? Promise.reject(new Error('no memory')) : upload.apply(device as CpuDevice, tensor));
}
