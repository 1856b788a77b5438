import { InferenceSession } from 'onnxruntime-node';
import { afterEach, expect, test, vi } from 'vitest';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';
import { TrainPrograms } from '../../../src/runtime/trainPrograms.js';
import { WebGpuDevice } from '../../../src/runtime/webgpuDevice.js';

afterEach(() => vi.restoreAllMocks());

test('a program that could not be compiled is compiled when it is wanted again, and disposal knows nothing of it', async () => {
  const device = new CpuDevice(1);
  const { config } = openModel('test/fixtures/models/gqa-tied').weights;
  const { lora } = readAdapterFolder('test/golden/training/gqa-tied-initial');
  const programs = new TrainPrograms(device, { config, lora, dropout: 0, keepActivations: true });
  vi.spyOn(device, 'compile').mockRejectedValueOnce(new Error('no memory'));
  await expect(programs.clip()).rejects.toThrow('no memory');
  await expect(programs.clip()).resolves.toHaveProperty('run');

  vi.spyOn(device, 'compile').mockRejectedValueOnce(new Error('no memory'));
  await expect(programs.update()).rejects.toThrow('no memory');
  await programs.dispose();
});

test('so is a session with which a GPU moves tensors', async () => {
  const device = new WebGpuDevice();
  const released = vi.fn(() => Promise.resolve());
  const session = { run: () => Promise.resolve({ y: { dims: [1], dispose: () => undefined } }), release: released };
  vi.spyOn(InferenceSession, 'create')
    .mockRejectedValueOnce(new Error('no device'))
    .mockResolvedValueOnce(session as unknown as InferenceSession)
    .mockRejectedValueOnce(new Error('no device'));
  const upload = () => device.upload('float32', [1], new Float32Array(1));
  await expect(upload()).rejects.toThrow('no device');
  await expect(upload()).resolves.toMatchObject({ shape: [1] });
  await expect(device.upload('int32', [1], new Int32Array(1))).rejects.toThrow('no device');
  await device.dispose();
  expect(released).toHaveBeenCalledOnce();
});

test('so is the block that settles the allocator', async () => {
  vi.resetModules();
  const { settleAllocator } = await import('../../../src/runtime/settleAllocator.js');
  const { InferenceSession } = await import('onnxruntime-node');
  const create = vi.spyOn(InferenceSession, 'create').mockRejectedValueOnce(new Error('no memory'));
  if (process.platform !== 'linux') return;
  await expect(settleAllocator()).rejects.toThrow('no memory');
  await settleAllocator();
  await settleAllocator();
  expect(create).toHaveBeenCalledTimes(2);
});
