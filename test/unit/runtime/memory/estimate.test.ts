import { describe, expect, test } from 'vitest';
import { randomWeights, shapes, smolLm2 } from '../../../../bench/shapes.js';
import type { LoraShape } from '../../../../src/core/adapters/lora.js';
import { linearNames } from '../../../../src/core/models/linears.js';
import type { WeightStore } from '../../../../src/core/models/weights.js';
import { remedies } from '../../../../src/runtime/memory/remedies.js';
import { estimateMemory, type MemoryRequest } from '../../../../src/runtime/memory/estimate.js';
import type { DeviceKind } from '../../../../src/core/graph/types.js';
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

  // By hand, from the shapes: 30 layers of hidden size 576, keys and values of 192, an intermediate size of 1536; rank 8.
  const layers = 30;
  const tokens = 4 * 256;
  const [hidden, ofKeys, inner] = [576, 192, 1536];
  const matrices = 2 * hidden * hidden + 2 * ofKeys * hidden + 3 * inner * hidden;
  const norms = (2 * layers + 1) * hidden;
  const parameters = 8192 * hidden + layers * matrices + norms;
  /** The rank times the rows and columns of each linear. */
  const trained = layers * 8 * (2 * (hidden + hidden) + 2 * (hidden + ofKeys) + 3 * (hidden + inner));
  const ofProcess = 145e6;
  /** Temporary memory, and the tenth that malloc holds on top. */
  const withSlack = (floats: number) => 1.1 * 4 * floats;
  /** Masks of four blocks of 64 queries, each seeing 64 more keys than the last; gradients of three blocks' inputs. */
  const ofStep = 4 * 64 * (64 + 128 + 192 + 256) + 3 * tokens * hidden;
  /** Results of a block's backward pass and, twice, of the head: two vectors and two numbers for each of 512 rows. */
  const results = trained / layers + tokens * hidden + 2 * 512 * (2 * hidden + 2);

  /**
   * What a layer keeps for each token: its result; what seven adapters reduce to (three of them together, two of them together);
   * queries, keys, values and attention's output; the sum before the second norm; the two factors of the activation.
   */
  const kept = hidden + (3 + 1 + 2 + 1) * 8 + hidden + 2 * ofKeys + hidden + hidden + 2 * inner;

  test('is the sum of what the shapes come to', () => {
    const { parts, hostBytes, deviceBytes } = estimateMemory(request);
    const activations = withSlack(layers * tokens * kept + ofStep + results);
    expect(parts).toMatchObject({ process: ofProcess, data: 0, upload: 0, provider: 0 });
    expect(parts.weights).toBe(4 * parameters);
    expect(parts.adapter, 'parameters, gradients, two moments').toBe(4 * 4 * trained);
    expect(parts.checkpoint, 'parameters and two moments').toBe(3 * 4 * trained);
    expect(parts.activations).toBeCloseTo(activations, 1);
    // Backward through the activation, several tensors of its size exist at once.
    expect(parts.work).toBeGreaterThan(withSlack(2 * tokens * inner));
    expect(parts.work).toBeLessThan(withSlack(10 * tokens * inner));
    expect(hostBytes).toBeCloseTo(ofProcess + 4 * parameters + 7 * 4 * trained + activations + parts.work, 1);
    expect(deviceBytes).toBe(0);
  });

  test('of a run that computes activations again keeps the result of each layer', () => {
    const { parts } = estimateMemory({ ...request, gradientCheckpointing: true });
    expect(parts.activations).toBeCloseTo(withSlack(layers * tokens * hidden + ofStep + results), 1);
  });

  test('counts weights as they are stored', () => {
    const { parts } = estimateMemory({ ...request, weights: randomWeights(config, 'BF16') });
    expect(parts.weights).toBe(2 * (parameters - norms) + 4 * norms);
  });

  test('moves as the settings do', () => {
    expect(peak({ gradientCheckpointing: true })).toBeLessThan(0.7 * peak());
    expect(peak({ baseDType: 'fp16' })).toBeLessThan(peak());
    expect(peak({ baseDType: 'int4' })).toBeLessThan(peak({ baseDType: 'fp16' }));
    expect(peak({ layerStreaming: true })).toBeLessThan(peak() - 0.9 * 4 * 106e6);
    expect(peak({ lora: { ...lora, r: 64 } })).toBeGreaterThan(peak() + 7 * 7 * 9.7e6);
    const longer = peak({ batch: { batchSize: 4, sequenceLength: 512 } });
    expect(longer).toBeGreaterThan(peak());
    expect(peak({ batch: { batchSize: 8, sequenceLength: 256 } })).toBeLessThan(longer); // attention grows quadratically
  });

  test('on a GPU leaves only the process, the checkpoint and what is on its way to the host; buffers come in fixed sizes', () => {
    const { parts, hostBytes, deviceBytes } = estimateMemory({ ...request, device: 'webgpu' });
    const [kib, mib] = [1024, 1024 ** 2];
    // The table in slices of 4112 and 4080 rows; for each layer q and o, k and v, three of the feed-forward network, two norms.
    const weights = 2 * 12 * mib + layers * (2 * 2 * mib + 2 * 0.5 * mib + 3 * 4 * mib + 2 * 4 * kib) + 4 * kib;
    // Both factors of q and o, of k and v, and of the feed-forward network's three; gradients and two moments, one tensor each.
    const adapterOfLayer = 2 * 2 * 32 * kib + 2 * (32 + 8) * kib + 3 * (32 + 64) * kib + 3 * 512 * kib;
    const upload = 2 * 4 * 4112 * hidden; // the larger slice, twice
    expect(parts).toMatchObject({ weights, adapter: layers * adapterOfLayer, upload, provider: 25e6 + adapterOfLayer });
    expect(hostBytes).toBe(ofProcess + 3 * 4 * trained + upload);
    expect(parts.activations).toBeGreaterThan(4 * (layers * tokens * kept + ofStep + results));
    expect(deviceBytes).toBeCloseTo(weights + (layers + 1) * adapterOfLayer + 25e6 + parts.activations + parts.work, 1);
  });

  test('data adds what it takes', () => {
    expect(peak({ dataBytes: 1e8 })).toBe(peak() + 1e8);
  });
});

describe('what auto decides', () => {
  const traits = (kind: DeviceKind, hasFastIntegers = false) => ({ kind, has16Bit: true, hasFastIntegers });
  const auto = { dtypes: dtypesToTry('auto', traits('cpu')), checkpointing: 'auto', streaming: 'auto' } as const;
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

  test('integers are used where they are faster and fit, and are never streamed', () => {
    const dtypes = dtypesToTry('auto', traits('cpu', true));
    const options = { ...auto, dtypes };
    expect(decided(peak({ baseDType: 'int8' }), options)).toBe('int8');
    expect(decided(peak({ baseDType: 'int8', gradientCheckpointing: true }), options)).toBe('int8 checkpointing');
    expect(decided(peak({ gradientCheckpointing: true, layerStreaming: true }), options)).toBe('fp32 checkpointing streaming');
  });

  test('less memory never makes for more exact weights', () => {
    const larger = randomWeights({ ...shapes['llama-3.2-1b'], layerCount: 8 });
    for (const [weights, device] of [
      [larger, 'cpu'],
      [quantized(larger), 'cpu'],
      [larger, 'webgpu'],
    ] as const) {
      const dtypes = dtypesToTry('auto', traits(device));
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

  test('a base in integers that does not fit may be held in 4 bits', () => {
    const inIntegers = { ...request, baseDType: 'int8' as const };
    const limit = 0.6 * estimateMemory(inIntegers).hostBytes;
    const changes = remedies(inIntegers, ({ hostBytes }) => hostBytes <= limit).flatMap((remedy) => remedy.changes);
    expect(changes).toContainEqual({ setting: 'engine.base_dtype', from: 'int8', to: 'int4' });
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
