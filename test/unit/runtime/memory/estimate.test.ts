import { describe, expect, test } from 'vitest';
import { randomWeights, shapes, smolLm2 } from '../../../../bench/shapes.js';
import type { LoraShape } from '../../../../src/core/adapters/lora.js';
import { linearNames } from '../../../../src/core/models/linears.js';
import { parameterCount, type WeightStore } from '../../../../src/core/models/weights.js';
import { remedies } from '../../../../src/runtime/memory/remedies.js';
import { estimateMemory, type MemoryRequest } from '../../../../src/runtime/memory/estimate.js';
import { dtypesToTry, planMemory } from '../../../../src/runtime/memory/plan.js';

const config = { ...smolLm2, vocabSize: 8192 };
const weights = randomWeights(config, 'F32');
const lora: LoraShape = { r: 8, alpha: 16, targetModules: linearNames, layers: null, useRslora: false };
const request: MemoryRequest = {
  weights,
  lora,
  dropout: 0,
  batch: { batchSize: 4, sequenceLength: 256 },
  baseDType: 'fp32',
  gradientCheckpointing: false,
  layerStreaming: false,
  device: 'cpu',
};
const peak = (changes: Partial<MemoryRequest> = {}) => estimateMemory({ ...request, ...changes }).hostBytes;

describe('the estimate', () => {
  test('a base that is measured has no adapter, keeps nothing and computes nothing backward', () => {
    const [measured, trained] = [null, lora].map(
      (each) => estimateMemory({ ...request, lora: each, gradientCheckpointing: true }).parts,
    );
    expect(measured).toMatchObject({ adapter: 0, checkpoint: 0, weights: trained!.weights });
    expect(measured!.activations).toBeLessThan(trained!.activations / 3);
    expect(measured!.work).toBeLessThan(trained!.work);
  });

  test('adds up: parts, and weights to the byte', () => {
    const { parts, hostBytes, deviceBytes } = estimateMemory(request);
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBe(hostBytes);
    expect(deviceBytes).toBe(0);
    const parameters = parameterCount(weights);
    expect(parts.weights).toBe(4 * parameters);
    const norms = 61 * 576;
    expect(estimateMemory({ ...request, weights: randomWeights(config, 'BF16') }).parts.weights, 'as they are stored').toBe(
      2 * (parameters - norms) + 4 * norms,
    );
    const adapter =
      30 *
      8 *
      linearNames.reduce(
        (sum, linear) =>
          sum + (linear === 'k_proj' || linear === 'v_proj' ? 768 : linear === 'q_proj' || linear === 'o_proj' ? 1152 : 2112),
        0,
      );
    expect(parts.adapter).toBe(16 * adapter);
  });

  test('moves as the settings do', () => {
    expect(peak({ gradientCheckpointing: true })).toBeLessThan(0.7 * peak());
    expect(peak({ baseDType: 'fp16' })).toBeLessThan(peak());
    expect(peak({ baseDType: 'int4' })).toBeLessThan(peak({ baseDType: 'fp16' }));
    expect(peak({ layerStreaming: true })).toBeLessThan(peak() - 0.9 * 4 * 106e6);
    expect(peak({ lora: { ...lora, r: 64 } })).toBeGreaterThan(peak() + 7 * 7 * 9.7e6);
    const longer = peak({ batch: { batchSize: 4, sequenceLength: 512 } });
    expect(longer).toBeGreaterThan(peak());
    expect(peak({ batch: { batchSize: 8, sequenceLength: 256 } })).toBeLessThan(longer); // attention grows with the square
  });

  test('on a GPU only the process itself, the checkpoint and what is on its way are left for the host', () => {
    const { parts, hostBytes, deviceBytes } = estimateMemory({ ...request, device: 'webgpu' });
    expect(hostBytes).toBe(parts.process + parts.checkpoint + parts.upload);
    expect(parts.upload, 'a slice of the table, twice').toBeLessThan(2 * 2 ** 24);
    expect(hostBytes + deviceBytes).toBeCloseTo(
      Object.values(parts).reduce((sum, part) => sum + part, 0),
      3,
    );
  });

  test('a GPU’s buffers are no smaller than their tensors, and not much larger', () => {
    const onCpu = estimateMemory(request).parts;
    const onGpu = estimateMemory({ ...request, device: 'webgpu' }).parts;
    for (const part of ['weights', 'adapter'] as const) {
      expect(onGpu[part]).toBeGreaterThanOrEqual(onCpu[part]);
      expect(onGpu[part]).toBeLessThan(2 * onCpu[part]);
    }
  });

  test('data adds what it takes', () => {
    expect(peak({ dataBytes: 1e8 })).toBe(peak() + 1e8);
  });
});

describe('what auto decides', () => {
  const auto = { dtypes: dtypesToTry('auto', 'cpu', true), checkpointing: 'auto', streaming: 'auto' } as const;
  const decided = (availableBytes: number, options: Pick<Parameters<typeof planMemory>[0], keyof typeof auto> = auto) => {
    const { baseDType, gradientCheckpointing, layerStreaming } = planMemory({ ...request, ...options }, availableBytes).request;
    return [baseDType, ...(gradientCheckpointing ? ['checkpointing'] : []), ...(layerStreaming ? ['streaming'] : [])].join(' ');
  };

  test('gives up speed and precision only for what fits', () => {
    expect(decided(peak())).toBe('fp32');
    expect(decided(peak() - 1)).toBe('fp32 checkpointing');
    expect(decided(peak({ gradientCheckpointing: true }) - 1)).toBe('fp32 checkpointing streaming');
    expect(decided(peak({ gradientCheckpointing: true, layerStreaming: true }) - 1)).toBe('fp16 checkpointing streaming');
    expect(decided(1)).toBe('int4 checkpointing streaming');
  });

  test('less memory never makes for more exact weights', () => {
    const larger = randomWeights({ ...shapes['llama-3.2-1b'], layerCount: 8 });
    for (const [weights, device] of [
      [larger, 'cpu'],
      [quantized(larger), 'cpu'],
      [larger, 'webgpu'],
    ] as const) {
      const dtypes = dtypesToTry('auto', device, true);
      const ranks = [4e9, 3e9, 2.5e9, 2e9, 1.8e9, 1.6e9, 1.4e9, 1.2e9, 1e9, 0.8e9].map((availableBytes) => {
        const { request: decision } = planMemory({ ...request, ...auto, weights, device, dtypes }, availableBytes);
        return dtypes.indexOf(decision.baseDType);
      });
      expect(ranks).toEqual([...ranks].sort());
      expect(ranks.at(-1)).toBe(dtypes.length - 1);
    }
  });

  test('a quantized base is held in int4, which rounds next to nothing, before it is streamed', () => {
    const available = peak({ weights: quantized(weights), gradientCheckpointing: true, baseDType: 'int4' });
    const { baseDType, layerStreaming } = planMemory({ ...request, ...auto, weights: quantized(weights) }, available).request;
    expect({ baseDType, layerStreaming }).toEqual({ baseDType: 'int4', layerStreaming: false });
  });

  function quantized(store: WeightStore): WeightStore {
    const info = (name: string) => ({ ...store.info(name)!, ...(!name.includes('norm') && { storedType: 'Q4_0' as const }) });
    return { ...store, info };
  }

  test('leaves alone what the user has set', () => {
    expect(decided(1, { ...auto, dtypes: ['fp32'], streaming: 'off' })).toBe('fp32 checkpointing');
    expect(decided(1, { dtypes: ['fp16'], checkpointing: 'off', streaming: 'off' })).toBe('fp16');
  });
});

describe('what would make it fit', () => {
  test.each([0.9, 0.6, 0.45, 0.35])('three ways into %f of the memory, each without a needless change', (share) => {
    const limit = share * peak();
    const found = remedies(request, ({ hostBytes }) => hostBytes <= limit);
    expect(found).toHaveLength(3);
    for (const { changes, estimate } of found) {
      expect(peak(applied(changes))).toBe(estimate.hostBytes);
      expect(estimate.hostBytes).toBeLessThanOrEqual(limit);
      for (const needed of changes) expect(peak(applied(changes.filter((change) => change !== needed)))).toBeGreaterThan(limit);
    }
  });

  test('what costs nothing in quality comes first, and nothing is named where nothing would do', () => {
    const first = remedies(request, ({ hostBytes }) => hostBytes < peak())[0]!;
    expect(first.changes).toEqual([{ setting: 'train.batch_size', from: '4', to: '2' }]);
    expect(remedies(request, () => false)).toEqual([]);
  });

  function applied(changes: readonly { setting: string; to: string }[]): Partial<MemoryRequest> {
    const to = (setting: string) => changes.find((change) => change.setting === setting)?.to;
    return {
      baseDType: (to('engine.base_dtype') ?? 'fp32') as MemoryRequest['baseDType'],
      gradientCheckpointing: to('engine.gradient_checkpointing') === 'on',
      layerStreaming: to('engine.layer_streaming') === 'on',
      batch: { batchSize: Number(to('train.batch_size') ?? 4), sequenceLength: Number(to('data.max_seq_length') ?? 256) },
    };
  }
});
