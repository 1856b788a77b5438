/** @file What an adapter has learned, against full decompositions in double precision (test/golden/make_spectra.py, numpy). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { dot } from '../../../src/core/adapters/decomposition.js';
import { energyRank, entropyRank } from '../../../src/core/adapters/effectiveRank.js';
import { tunedDirections } from '../../../src/core/adapters/intruders.js';
import { singularDirections } from '../../../src/core/adapters/spectrum.js';
import { subspaceSimilarity } from '../../../src/core/adapters/subspaces.js';
import { eigenCoordinates } from '../../../src/core/adapters/symmetricEigen.js';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';

interface Golden {
  readonly scaling: number;
  readonly adapters: readonly { readonly values: number[]; readonly entropy_rank: number; readonly energy_rank: number }[];
  readonly similarity: { readonly input: number[][]; readonly output: number[][] };
  readonly intruders: Readonly<Record<'wide' | 'tall' | 'square', { readonly values: number[]; readonly cosines: number[] }>>;
}

const path = (name: string) => fileURLToPath(new URL(`../../golden/spectra/${name}`, import.meta.url));
const golden = JSON.parse(readFileSync(path('spectra.json'), 'utf8')) as Golden;
const tensors = readTensorFile(path('spectra.safetensors'));
const matrix = (name: string): HostTensor => tensors.get(name)!;
const found = [0, 1].map((index) => singularDirections(matrix(`a${index}`), matrix(`b${index}`), golden.scaling));
const atOnce = () => Promise.resolve();

function expectNear(actual: readonly number[], expected: readonly number[], tolerance: number): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((value, index) => expect(Math.abs(value - expected[index]!), String(index)).toBeLessThan(tolerance));
}

describe('singular values and effective ranks', () => {
  test.each([0, 1])('of adapter %i, as numpy has them for the whole product', (index) => {
    const expected = golden.adapters[index]!;
    const { values } = found[index]!;
    expectNear(values, expected.values, 1e-12 * expected.values[0]!);
    expect(entropyRank(values)).toBeCloseTo(expected.entropy_rank, 10);
    expect(energyRank(values, 0.9)).toBe(expected.energy_rank);
  });

  test('of known values', () => {
    expect(entropyRank([3, 3, 3, 0])).toBeCloseTo(3, 12);
    expect([entropyRank([5, 0, 0]), entropyRank([0, 0]), entropyRank([])]).toEqual([1, 0, 0]);
    expect([energyRank([3, 1], 0.9), energyRank([3, 1.1], 0.9), energyRank([0, 0], 0.9)]).toEqual([1, 2, 0]);
  });

  test('a rank that does nothing has no direction', () => {
    const twice = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 1, 2, 3) };
    const { values, left, right } = singularDirections(twice, { shape: [2, 2], data: Float32Array.of(1, 0, 0, 1) }, 1);
    expect(values).toHaveLength(1);
    expect(values[0]).toBeCloseTo(Math.sqrt(28), 12);
    expect([dot(left[0]!, left[0]!), dot(right[0]!, right[0]!)].map((square) => Math.abs(square - 1) < 1e-12)).toEqual([
      true,
      true,
    ]);
  });
});

test('φ(i, j) of two adapters, for what they read and what they write', () => {
  const [first, second] = found as [(typeof found)[0], (typeof found)[0]];
  for (const [side, name] of [
    ['right', 'input'],
    ['left', 'output'],
  ] as const) {
    const grid = subspaceSimilarity(first[side], second[side]);
    grid.forEach((row, i) => expectNear([...row], golden.similarity[name][i]!, 1e-11));
    expectNear([...subspaceSimilarity(first[side], first[side]).at(-1)!].slice(-1), [1], 1e-12);
  }
});

describe('intruder dimensions', () => {
  test.each(['wide', 'tall', 'square'] as const)('of a %s matrix with one planted, as a full SVD finds them', async (name) => {
    const base = matrix(`${name}.base`);
    const directions = await tunedDirections(
      base.data as Float32Array,
      matrix(`${name}.tuned`).data as Float32Array,
      base.shape[1]!,
      10,
      atOnce,
    );
    const { values, cosines } = golden.intruders[name];
    expectNear(
      directions.map(({ value }) => value),
      values,
      1e-6 * values[0]!,
    );
    expectNear(
      directions.map(({ cosine }) => cosine),
      cosines,
      1e-4,
    );
    expect(directions.filter(({ cosine }) => cosine < 0.5)).toHaveLength(cosines.filter((cosine) => cosine < 0.5).length);
  });

  test('without a change, every direction of the base is found again', async () => {
    const { data, shape } = matrix('tall.base');
    const directions = await tunedDirections(data as Float32Array, data as Float32Array, shape[1]!, 10, atOnce);
    for (const { cosine } of directions) expect(cosine).toBeGreaterThan(1 - 1e-6);
  });

  test('it can be cancelled at any part', async () => {
    const { data, shape } = matrix('wide.base');
    for (const last of [0, 20, 80]) {
      let parts = 0;
      const cancel = () => (parts++ === last ? Promise.reject(new Error('cancelled')) : Promise.resolve());
      await expect(tunedDirections(data as Float32Array, data as Float32Array, shape[1]!, 4, cancel)).rejects.toThrow(
        'cancelled',
      );
    }
  });
});

test('eigenvalues that coincide, and zeros off the diagonal, are no obstacle', async () => {
  const diagonal = Float64Array.of(2, 0, 0, 0, 5, 0, 0, 0, 2);
  const { values, coordinates } = await eigenCoordinates(diagonal, [Float64Array.of(1, 2, 3)], atOnce);
  expect([...values].sort()).toEqual([2, 2, 5]);
  expect([...coordinates[0]!.map(Math.abs)].sort()).toEqual([1, 2, 3]);
  const ones = await eigenCoordinates(new Float64Array(16).fill(1), [Float64Array.of(1, 1, 1, 1)], atOnce);
  const sorted = [...ones.values]
    .map((value, k) => [value, Math.abs(ones.coordinates[0]![k]!)] as const)
    .sort((a, b) => b[0] - a[0]);
  expectNear(
    sorted.map(([value]) => value),
    [4, 0, 0, 0],
    1e-12,
  );
  expectNear(
    sorted.map(([, coordinate]) => coordinate),
    [2, 0, 0, 0],
    1e-12,
  );
});
