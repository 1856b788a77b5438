import { afterAll, describe, expect, test } from 'vitest';
import { linearNames } from '../../src/core/models/linears.js';
import type { ModelConfig } from '../../src/core/models/config.js';
import type { BaseDType } from '../../src/core/models/matrixForm.js';
import { dropoutProgram, HostDropout, layerKey } from '../../src/core/train/dropout.js';
import { withZeroMoments } from '../../src/core/train/loraInit.js';
import { readAdapterFolder } from '../../src/files/adapterFolder.js';
import { openModel } from '../../src/files/openModel.js';
import { guaranteedBytes, lastRowProgram } from '../../src/runtime/bindingLimit.js';
import { createTrainer } from '../../src/runtime/engine.js';
import type { EngineOptions } from '../../src/runtime/engineOptions.js';
import { has16Bit } from '../../src/runtime/probe16Bit.js';
import { WebGpuDevice } from '../../src/runtime/webgpuDevice.js';

const gpu = new WebGpuDevice();
afterAll(() => gpu.dispose());

test('masks of dropout are those that the host makes, bit by bit', async () => {
  const config = { hiddenSize: 48, intermediateSize: 77, headCount: 2, keyValueHeadCount: 1, headDim: 24 } as ModelConfig;
  const lora = { r: 2, alpha: 4, useRslora: false, targetModules: linearNames, layers: null };
  const [rows, probability] = [130, 0.1];
  const program = await gpu.compile(dropoutProgram(config, lora, probability, rows));
  const host = new HostDropout(config, lora, probability, rows);
  for (const [seed, layer] of [
    [1, 0],
    [0x7fffffff, 1],
    [987654321, 40],
  ] as const) {
    const inputs = new Map([
      ['seed', await gpu.upload('int32', [1, 1], Int32Array.of(seed))],
      ['layer_key', await gpu.upload('int32', [1, 1], Int32Array.of(layerKey(layer)))],
    ]);
    const masks = await program.run(inputs);
    for (const mask of host.masks) {
      const expected = new Uint8Array(rows * mask.width);
      host.write(expected, mask, seed, layer);
      expect(Uint8Array.from(await gpu.download(masks.get(mask.name)!)), `${mask.name}, seed ${seed}`).toEqual(expected);
    }
    [...inputs.values(), ...masks.values()].forEach((tensor) => gpu.release(tensor));
  }
  await program.dispose();
});

// Beyond a device's limit, ONNX Runtime silently computes only part of a softmax; here it must be whole or refused.
test.each([
  { name: 'the size that every device reaches', bytes: guaranteedBytes, mayRefuse: false },
  { name: 'a quarter more', bytes: guaranteedBytes * 1.25, mayRefuse: true },
])('a softmax of $name is computed whole, or refused', async ({ bytes, mayRefuse }) => {
  const compiling = gpu.compile(lastRowProgram(bytes));
  if (
    mayRefuse &&
    (await compiling.then(
      () => false,
      () => true,
    ))
  ) {
    await expect(compiling).rejects.toThrow('The GPU reaches tensors of at most 128 MiB');
    return;
  }
  const program = await compiling;
  const row = await gpu.zeros([1, 1024]);
  const results = await program.run(new Map([['row', row]]));
  const [sum] = await gpu.download(results.get('sum')!);
  expect(sum).toBeCloseTo(1, 5);
  [row, ...results.values()].forEach((tensor) => gpu.release(tensor));
  await program.dispose();
});

describe('16-bit floats', () => {
  const has = has16Bit(gpu);
  const engine = {
    device: 'webgpu',
    threads: null,
    gradient_checkpointing: 'off',
    layer_streaming: 'off',
    memory_check: 'warn',
  } as const;

  async function load(
    base_dtype: EngineOptions['base_dtype'],
    resumedDType: BaseDType | null = null,
  ): Promise<{ description: string; notes: string[] }> {
    const { weights } = openModel('test/fixtures/models/gqa-tied');
    const { lora, parameters } = readAdapterFolder('test/golden/training/gqa-tied-initial');
    const notes: string[] = [];
    const initialState = withZeroMoments(parameters);
    const { runner } = await createTrainer({
      weights,
      lora,
      dropout: 0,
      initialState,
      engine: { ...engine, base_dtype },
      resumedDType,
      batch: { batchSize: 2, sequenceLength: 32 },
      note: (text) => notes.push(text),
    });
    await runner.dispose();
    return { description: runner.description, notes };
  }

  test('auto takes them where the device computes with them, and fp32 with a word about it elsewhere', async () => {
    const { description, notes } = await load('auto');
    expect(description).toBe((await has) ? 'GPU (WebGPU), fp16 base' : 'GPU (WebGPU), fp32 base');
    expect(notes.some((note) => note.includes('does not compute with 16-bit floats'))).toBe(!(await has));
  });

  test('a run that began in them goes on in them where the device computes with them, and elsewhere in fp32 with a warning', async () => {
    const { description, notes } = await load('auto', 'fp16');
    expect(description).toBe((await has) ? 'GPU (WebGPU), fp16 base' : 'GPU (WebGPU), fp32 base');
    expect(notes.some((note) => note.startsWith('warning: The base is held in fp32 from here on; it was in fp16 before'))).toBe(
      !(await has),
    );
  });

  test('asked for by name, they load or end in one clear error', async () => {
    const loading = load('fp16');
    if (await has) await expect(loading).resolves.toMatchObject({ description: 'GPU (WebGPU), fp16 base' });
    else
      await expect(loading).rejects.toThrow(
        /^engine\.base_dtype is "fp16", but this GPU, or its driver, does not compute with 16-bit floats \(shader-f16\)\. Set it to/,
      );
  });

  test('a device that lacks them is found out, and stays usable', async () => {
    if (process.env['VK_DRIVER_FILES']?.includes('swiftshader')) expect(await has).toBe(false);
    const zeros = await gpu.zeros([3]);
    expect(await gpu.download(zeros)).toEqual(new Float32Array(3));
    gpu.release(zeros);
    expect(gpu.usage).toMatchObject({ tensors: 0, bytes: 0 });
  });
});
