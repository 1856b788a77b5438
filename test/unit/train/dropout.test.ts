import { describe, expect, test } from 'vitest';
import type { LoraShape } from '../../../src/core/adapters/lora.js';
import type { ModelConfig } from '../../../src/core/models/config.js';
import { linearNames } from '../../../src/core/models/linears.js';
import { dropoutProgram, HostDropout, layerKey } from '../../../src/core/train/dropout.js';
import { CpuDevice } from '../../../src/runtime/cpuDevice.js';

const lora: LoraShape = { r: 2, alpha: 4, useRslora: false, targetModules: linearNames, layers: null };

const config = (hiddenSize: number, intermediateSize: number): ModelConfig =>
  ({ hiddenSize, intermediateSize, headCount: 2, keyValueHeadCount: 1, headDim: hiddenSize / 2 }) as ModelConfig;

function hostMasks(of: ModelConfig, rows: number, probability: number, seed: number, layer: number): Map<string, Uint8Array> {
  const host = new HostDropout(of, lora, probability, rows);
  return new Map(
    host.masks.map((mask) => {
      const kept = new Uint8Array(rows * mask.width).fill(7);
      host.write(kept, mask, seed, layer);
      return [mask.name, kept];
    }),
  );
}

test.each([
  { seed: 1, layer: 0, probability: 0.1 },
  { seed: 0x7fffffff, layer: 31, probability: 0.5 },
  { seed: 123456789, layer: 7, probability: 0.003 },
])(
  'the program and the host make the same masks: seed $seed, layer $layer, p $probability',
  async ({ seed, layer, probability }) => {
    const [of, rows] = [config(24, 37), 19]; // includes an odd width
    const device = new CpuDevice(1);
    const program = await device.compile(dropoutProgram(of, lora, probability, rows));
    const scalar = (value: number) => device.fill('int32', [1, 1], (into) => into.fill(value));
    const masks = await program.run(
      new Map([
        ['seed', await scalar(seed)],
        ['layer_key', await scalar(layerKey(layer))],
      ]),
    );
    const expected = hostMasks(of, rows, probability, seed, layer);
    expect([...masks.keys()].sort()).toEqual([...expected.keys()].sort());
    for (const [name, tensor] of masks) expect(await device.download(tensor), name).toEqual(expected.get(name));
  },
);

describe.each([0.5, 0.1])('draws at p = %d look independent', (probability) => {
  const [width, rows] = [512, 512];
  const of = config(width, 2 * width);
  const share = 1 - probability;
  const variance = share * probability;
  const mask = (seed: number, layer: number): Float64Array =>
    Float64Array.from(hostMasks(of, rows, probability, seed, layer).get('dropout.mlp_input')!, (kept) => kept - share);
  /** The score of a sum of `count` products of centred draws, in standard deviations. */
  const score = (sum: number, count: number, factors: number): number => sum / Math.sqrt(count * variance ** factors);
  const correlation = (a: Float64Array, b: Float64Array, lag: number): number => {
    let sum = 0;
    for (let i = lag; i < a.length; i++) sum += a[i]! * b[i - lag]!;
    return score(sum, a.length - lag, 2);
  };
  // All cases together look at some 200 scores. Random ones would exceed 5 in one of 10,000 runs; the seeds are fixed.
  const most = 5;
  const seeds = [1, 2, 1_000_003];

  test.each(seeds)('seed %d: share, neighbours, rows, columns', (seed) => {
    const draws = mask(seed, 3);
    expect(
      Math.abs(
        score(
          draws.reduce((sum, x) => sum + x, 0),
          draws.length,
          1,
        ),
      ),
    ).toBeLessThan(most);
    for (const lag of [1, 2, 3, 4, 16, 256, width - 1, width, width + 1, 2 * width, 16 * width, 256 * width]) {
      expect(Math.abs(correlation(draws, draws, lag)), `lag ${lag}`).toBeLessThan(most);
    }
    for (const [name, indexOf] of [
      ['rows', (i: number, j: number) => i * width + j],
      ['columns', (i: number, j: number) => j * width + i],
    ] as const) {
      // Σ (line sum)² / variance is χ² with one degree of freedom per line.
      let chiSquared = 0;
      for (let i = 0; i < rows; i++) {
        let line = 0;
        for (let j = 0; j < width; j++) line += draws[indexOf(i, j)]!;
        chiSquared += line ** 2 / (width * variance);
      }
      expect(Math.abs(chiSquared - rows) / Math.sqrt(2 * rows), name).toBeLessThan(most);
    }
  });

  test.each(seeds)('seed %d: the corners of rectangles', (seed) => {
    const draws = mask(seed, 3);
    for (const [down, right] of [
      [1, 1],
      [1, 2],
      [2, 1],
      [1, 256],
      [16, 16],
      [256, 1],
      [128, 128],
    ] as const) {
      let [sum, count] = [0, 0];
      for (let row = 0; row + down < rows; row++) {
        for (let column = 0; column + right < width; column++, count++) {
          const at = row * width + column;
          sum += draws[at]! * draws[at + right]! * draws[at + down * width]! * draws[at + down * width + right]!;
        }
      }
      expect(Math.abs(score(sum, count, 4)), `${down} × ${right}`).toBeLessThan(most);
    }
  });

  test('other seeds, layers and activations have other masks', () => {
    const draws = mask(5, 3);
    const masks = hostMasks(of, rows, probability, 5, 3);
    const others = { 'next seed': mask(6, 3), 'next layer': mask(5, 4), 'next both': mask(6, 4) };
    for (const [name, other] of Object.entries(others)) {
      for (const lag of [0, 1, width]) expect(Math.abs(correlation(draws, other, lag)), `${name}, lag ${lag}`).toBeLessThan(most);
    }
    const ofAttention = Float64Array.from(masks.get('dropout.attention_input')!, (kept) => kept - share);
    expect(Math.abs(correlation(draws, ofAttention, 0))).toBeLessThan(most);
  });
});
