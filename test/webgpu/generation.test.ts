import { expect, test } from 'vitest';
import { greedy } from '../../src/core/generate/sampling.js';
import { openModel } from '../../src/files/openModel.js';
import { CpuDevice } from '../../src/runtime/cpuDevice.js';
import { createTextModel } from '../../src/runtime/onnxTextModel.js';
import { WebGpuDevice } from '../../src/runtime/webgpuDevice.js';
import { expectClose } from '../support/tensors.js';

// Longer than the initial cache.
const promptIds = Array.from({ length: 508 }, (_, i) => 1 + ((i * i + 7 * i) % 400));

test.each(['fp32', 'int8'] as const)(
  'greedy text with %s weights on WebGPU is the CPU’s, and the cache stays there',
  async (dtype) => {
    const texts = [];
    const gpu = new WebGpuDevice();
    for (const device of [gpu, new CpuDevice(2)]) {
      const model = await createTextModel(openModel('test/fixtures/models/tiny-llama').weights, device, dtype);
      const request = { promptIds, adapter: null, adapterStrength: 1, sampling: greedy, maxNewTokens: 8, endIds: [] };
      const read = await model.logits(promptIds, null, 1);
      texts.push((await model.generate(request, () => true)).ids);
      // The cache is reused: a longer prompt that begins with the first.
      const { bytesOut } = gpu.usage;
      const { ids, reusedTokens } = await model.generate({ ...request, promptIds: [...promptIds, 70], reuse: 'all' }, () => true);
      texts.push(ids);
      expect(reusedTokens).toBe(promptIds.length);
      expect(await model.logits(promptIds, null, 1), 'read again it is the same to the bit').toEqual(read);
      if (device === gpu) expect(gpu.usage.bytesOut - bytesOut, 'logits alone come down').toBe(9 * 4 * 512);
      await model.dispose();
    }
    expect(texts.slice(0, 2)).toEqual(texts.slice(2));
    expect(gpu.usage, 'after everything is disposed').toMatchObject({ tensors: 0, bytes: 0 });
    await gpu.dispose();
  },
);

test.each(['qwen2', 'qwen3', 'mistral', 'smollm3', 'gemma3'])(
  'logits of %s on WebGPU are the CPU’s, a prompt at once and token by token',
  async (name) => {
    const { weights } = openModel(`test/fixtures/models/${name}`);
    const ids = Array.from({ length: 24 }, (_, i) => 1 + ((i * i + 7 * i) % 90));
    const logits: Float32Array[][] = [];
    const gpu = new WebGpuDevice();
    for (const device of [gpu, new CpuDevice(2)]) {
      const model = await createTextModel(weights, device, 'fp32');
      const ofDevice: Float32Array[] = [];
      for (const count of [16, 17, 18, 24]) ofDevice.push(await model.logits(ids.slice(0, count), null, 1));
      logits.push(ofDevice);
      await model.dispose();
    }
    const [onGpu, onCpu] = logits as [Float32Array[], Float32Array[]];
    onGpu.forEach((values, index) => expectClose(values, onCpu[index]!, 1e-4, `logits ${index}`));
    await gpu.dispose();
    weights.close();
  },
);
