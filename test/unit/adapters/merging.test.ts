/** @file Singular values, merged adapters and merged weights, as PyTorch and PEFT have them (test/golden/make_merging.py). */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loraScaling, peftName } from '../../../src/core/adapters/lora.js';
import { deltaOf, mergeRows } from '../../../src/core/adapters/merge.js';
import { parsePeftConfig, assembleAdapter, type Adapter } from '../../../src/core/adapters/peft.js';
import { addLosses, energyKept, relativeError, singularValues, truncate } from '../../../src/core/adapters/spectrum.js';
import { lossByLinear, weightedSum, withLowerRank } from '../../../src/core/adapters/weightedSum.js';
import type { HostTensor } from '../../../src/core/formats/hostTensor.js';
import { dot, orthonormalize } from '../../../src/core/adapters/decomposition.js';
import { leadingDirections } from '../../../src/core/adapters/leadingDirections.js';
import { plainFromPissa } from '../../../src/core/adapters/pissa.js';
import { Random } from '../../../src/core/random.js';
import { linearNames } from '../../../src/core/models/linears.js';
import { linearPath } from '../../../src/core/models/weightSpec.js';
import { readAdapterFolder, readMergeableFolder } from '../../../src/files/adapterFolder.js';
import { openModel } from '../../../src/files/openModel.js';
import { readTensorFile } from '../../../src/files/tensorFile.js';
import { expectClose } from '../../support/tensors.js';

const golden = (path: string) => fileURLToPath(new URL(`../../golden/merging/${path}`, import.meta.url));
const spectrum = JSON.parse(readFileSync(golden('spectrum.json'), 'utf8')) as {
  weights: [number, number];
  svd_rank: number;
  singular_values: Record<string, number[]>;
};
const [first, second] = [readAdapterFolder(golden('first')), readAdapterFolder(golden('second'))];
const terms = [
  { name: 'first', adapter: first, weight: spectrum.weights[0] },
  { name: 'second', adapter: second, weight: spectrum.weights[1] },
];
const atOnce = () => Promise.resolve();

/** scaling · B·A of one linear, in double precision. */
function delta({ lora, parameters }: Pick<Adapter, 'lora' | 'parameters'>, layer: number, linear: string): number[] {
  const [loraA, loraB] = (['A', 'B'] as const).map((matrix) => parameters.get(peftName(layer, linear as 'q_proj', matrix))!);
  const [rank, columns] = loraA!.shape as [number, number];
  return Array.from({ length: loraB!.shape[0]! * columns }, (_, index) => {
    const [row, column] = [Math.floor(index / columns), index % columns];
    let sum = 0;
    for (let k = 0; k < rank; k++) sum += loraB!.data[row * rank + k]! * loraA!.data[k * columns + column]!;
    return loraScaling(lora) * sum;
  });
}

function expectDeltas(
  adapter: Pick<Adapter, 'lora' | 'parameters'>,
  expected: ReadonlyMap<string, HostTensor>,
  tolerance = 1e-6,
): void {
  for (const [name, { data }] of expected) {
    const [, layer, linear] = /layers\.(\d+)\.\w+\.(\w+)\.weight$/.exec(name)!;
    expectClose(delta(adapter, Number(layer), linear!), [...data], tolerance, name);
  }
}

describe('singular values', () => {
  test.each(Object.entries(spectrum.singular_values))('as torch.linalg.svdvals in double precision: %s', (name, expected) => {
    const [loraA, loraB] = ['A', 'B'].map((matrix) =>
      first.parameters.get(`base_model.model.${name.replace('weight', '')}lora_${matrix}.weight`)!,
    );
    const ours = singularValues(loraA!, loraB!, loraScaling(first.lora));
    // Reading v_proj and down_proj has rounded their scalings into B, in single precision.
    const precision = /v_proj|down_proj/.test(name) ? 1e-6 : 1e-12;
    expect(ours).toHaveLength(4);
    ours.forEach((value, index) => expect(Math.abs(value - expected[index]!)).toBeLessThan(precision * expected[0]!));
  });

  test('known ones of [[2, 0, 0], [0, 6, 0], [0, 0, 0], [2, 0, 0]], written with more rank than columns', () => {
    const loraA = tensor([5, 3], [2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 3, 0, 2, 0, 0]);
    const loraB = tensor([4, 5], [1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    const expected = [12, 4 * Math.SQRT2, 0, 0, 0];
    singularValues(loraA, loraB, 2).forEach((value, index) => expect(value).toBeCloseTo(expected[index]!, 12));
  });

  test('nothing has none', () => {
    const nothing = truncate(tensor([2, 3], [1, 2, 3, 4, 5, 6]), tensor([2, 2], [0, 0, 0, 0]), 1, 1);
    expect([...nothing.loraA.data, ...nothing.loraB.data]).toEqual([0, 0, 0, 0, 0]);
    expect([relativeError(nothing.loss), energyKept(nothing.loss)]).toEqual([0, 1]);
  });
});

describe('adapters merged with each other', () => {
  test('stacked, they add what PEFT adds with combination_type "cat"', () => {
    const sum = weightedSum(terms);
    expect(sum.lora).toEqual({
      r: 7,
      alpha: 7,
      useRslora: false,
      targetModules: ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'down_proj'],
      layers: [0, 1],
    });
    expectDeltas(sum, readTensorFile(golden('cat.safetensors')));
  });

  test('truncated, they add what PEFT adds with combination_type "svd", and the error is what is missing', async () => {
    const sum = weightedSum(terms);
    const { losses, ...truncated } = await withLowerRank(sum, spectrum.svd_rank, atOnce);
    expect(truncated.lora).toMatchObject({ r: 3, alpha: 3 });
    expectDeltas(truncated, readTensorFile(golden('svd.safetensors')), 1e-5); // PEFT decomposes in single precision
    const squares = { dropped: 0, total: 0 };
    for (const { layer, linear, dropped, total } of losses) {
      const [whole, kept] = [delta(sum, layer, linear), delta(truncated, layer, linear)];
      const [missing, all] = [squareSum(whole.map((value, index) => value - kept[index]!)), squareSum(whole)];
      expect(Math.abs(dropped - missing)).toBeLessThan(1e-6 * all);
      expect(Math.abs(total - all)).toBeLessThan(1e-9 * all);
      squares.dropped += missing;
      squares.total += all;
    }
    expect(relativeError(addLosses(losses))).toBeCloseTo(Math.sqrt(squares.dropped / squares.total), 5);
    expect(energyKept(addLosses(losses))).toBeCloseTo(1 - squares.dropped / squares.total, 5);
    const byLinear = lossByLinear(losses).map(({ linear, ...loss }) => [linear, relativeError(loss)] as const);
    expect(byLinear.map(([linear]) => linear)).toEqual(sum.lora.targetModules);
    // Two of rank 3 and less lose nothing.
    for (const [linear, error] of byLinear) expect(error > 1e-6, linear).toBe(linear === 'q_proj' || /^[vo]_/.test(linear));
  });

  test('a rank above what there is loses nothing', async () => {
    const { losses, ...same } = await withLowerRank(first, 6, atOnce);
    expect(relativeError(addLosses(losses))).toBe(0);
    expectDeltas(same, new Map([['layers.1.mlp.down_proj.weight', tensor([48, 96], delta(first, 1, 'down_proj'))]]));
  });

  test('adapters of models of different shapes are refused', () => {
    const other = assembleAdapter(
      parsePeftConfig({ peft_type: 'LORA', r: 1, lora_alpha: 1 }, 'c'),
      new Map([
        [peftName(0, 'q_proj', 'A'), tensor([1, 2], [1, 1])],
        [peftName(0, 'q_proj', 'B'), tensor([3, 1], [1, 1, 1])],
      ]),
      'f',
    );
    expect(() => weightedSum([...terms, { name: 'other', adapter: other, weight: 1 }])).toThrowError(
      'first and other were made for different models: q_proj is [64, 48] in one and [3, 2] in the other.',
    );
  });
});

describe('an adapter merged into its base, a few rows at a time', () => {
  const { weights } = openModel('test/fixtures/models/gqa-tied');
  const merged = (adapter: ReturnType<typeof readMergeableFolder>, layer: number, linear: 'q_proj', strength: number) => {
    const name = `${linearPath(layer, linear)}.weight`;
    const whole = weights.readFloat32(name);
    const columns = weights.info(name)!.shape[1]!;
    const change = deltaOf(adapter, strength, layer, linear);
    for (let row = 0; change && row * columns < whole.length; row += 5)
      mergeRows(whole.subarray(row * columns, (row + 5) * columns), row, change);
    return whole;
  };

  test('DoRA gives the weights that PEFT merges', () => {
    const dora = readMergeableFolder(golden('dora'));
    const expected = readTensorFile(golden('dora.safetensors'));
    for (const linear of linearNames) {
      for (const layer of [0, 1]) {
        const name = `${linearPath(layer, linear)}.weight`;
        const ours = [...merged(dora, layer, linear as 'q_proj', 1)];
        if (expected.has(name)) expectClose(ours, [...expected.get(name)!.data], 1e-6, name);
        else expect(ours, name).toEqual([...weights.readFloat32(name)]);
      }
    }
  });

  test('strength is the share of the change, with plain LoRA and with DoRA', () => {
    const plain = { ...first, magnitudes: null, principalRanks: null };
    for (const adapter of [plain, readMergeableFolder(golden('dora'))]) {
      const [base, half, whole] = [0, 0.5, 1].map((strength) => merged(adapter, 1, 'q_proj', strength));
      expect(base).toEqual(weights.readFloat32(`${linearPath(1, 'q_proj')}.weight`));
      expectClose(
        [...half!],
        [...base!].map((value, index) => (value + whole![index]!) / 2),
        1e-6,
        'half',
      );
    }
    const change = delta(first, 1, 'q_proj');
    const base = weights.readFloat32(`${linearPath(1, 'q_proj')}.weight`);
    expectClose(
      [...merged(plain, 1, 'q_proj', 1)],
      change.map((value, index) => base[index]! + value),
      1e-6,
      'plain',
    );
  });
});

describe('PiSSA, as PEFT saves it', () => {
  const pissa = readMergeableFolder(golden('pissa'));
  const { weights } = openModel('test/fixtures/models/gqa-tied');

  test('converted here, it gives the weights that PEFT merges, and adds what PEFT converts it to', async () => {
    const counts: number[] = [];
    const plain = await plainFromPissa(pissa, weights, async (done, total) => void counts.push(done / total));
    expect(counts.every((share, index) => share >= (counts[index - 1] ?? 0) && share < 1)).toBe(true);
    const converted = readAdapterFolder(golden('pissa-converted'));
    expect(plain.lora).toMatchObject({ r: 8, targetModules: converted.lora.targetModules });
    for (const [name, { data }] of readTensorFile(golden('pissa.safetensors'))) {
      const [, layer, linear] = /layers\.(\d+)\.\w+\.(\w+)\.weight$/.exec(name)!;
      const merged = weights.readFloat32(name);
      mergeRows(merged, 0, deltaOf(plain, 1, Number(layer), linear as 'q_proj')!);
      // PEFT decomposes in single precision, and the fourth and fifth value of these random weights differ by 3 %.
      expectClose(merged, data, 5e-5, name);
      expectClose(delta(plain, Number(layer), linear!), delta(converted, Number(layer), linear!), 5e-5, name);
    }
  });

  test('elsewhere, it is refused with what can be done', () => {
    expect(() => readAdapterFolder(golden('pissa'))).toThrowError(/PiSSA.*Export it in PEFT's format/);
  });
});

test('the leading directions of a matrix with a known spectrum, whose values differ by a percent', async () => {
  const random = new Random(5);
  const [rows, columns, count] = [150, 120, 6];
  const directions = (length: number) => {
    const vectors = Array.from({ length: columns }, () => Float64Array.from({ length }, () => random.uniform() - 0.5));
    return orthonormalize(vectors).basis;
  };
  const [left, right] = [directions(rows), directions(columns)];
  const matrix = new Float32Array(rows * columns);
  for (let k = 0; k < columns; k++)
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) matrix[i * columns + j]! += 0.99 ** k * left[k]![i]! * right[k]![j]!;
  const found = await leadingDirections(matrix, columns, count, atOnce);
  // The length of each true direction's shadow on the space that was found.
  const shadows = right.map((direction) => Math.hypot(...found.map((vector) => dot(vector, direction))));
  expect(found).toHaveLength(count);
  shadows.forEach((length, k) => expect(Math.abs(length - (k < count ? 1 : 0)), String(k)).toBeLessThan(k < count ? 1e-8 : 2e-4));
});

test('elsewhere, a DoRA adapter is refused with what can be done', () => {
  expect(() => readAdapterFolder(golden('dora'))).toThrowError(
    expect.objectContaining({ code: 'file-unsupported', message: expect.stringMatching(/DoRA.*Export it as a merged model/) }),
  );
});

test('DoRA magnitudes that do not fit are damage', () => {
  const config = parsePeftConfig({ peft_type: 'LORA', r: 3, lora_alpha: 5, use_dora: true, rank_pattern: { up_proj: 2 } }, 'c');
  const name = 'base_model.model.model.layers.1.self_attn.o_proj.lora_magnitude_vector';
  for (const damage of [undefined, tensor([3], [1, 1, 1]), tensor([48], Array(48).fill(NaN))]) {
    const tensors = readTensorFile(golden('dora/adapter_model.safetensors'));
    if (damage) tensors.set(name, damage);
    else tensors.delete(name);
    expect(() => assembleAdapter(config, tensors, 'f')).toThrowError(
      /the DoRA magnitudes of model\.layers\.1\.self_attn\.o_proj/,
    );
  }
});

function tensor(shape: number[], values: readonly number[]): HostTensor {
  return { shape, data: Float32Array.from(values) };
}

function squareSum(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value * value, 0);
}
