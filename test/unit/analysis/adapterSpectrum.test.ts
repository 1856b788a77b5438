import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { adapterSpectrum, similarityGrids } from '../../../src/analysis/adapterSpectrum.js';
import { findIntruders } from '../../../src/analysis/intruders.js';
import { pairedDifference } from '../../../src/analysis/pairedDifference.js';
import { rankLosses } from '../../../src/analysis/rankLosses.js';
import { mergeAdapters } from '../../../src/export/mergeAdapters.js';
import { openModel } from '../../../src/files/openModel.js';
import { meanSimilarity, rankVerdict } from '../../../src/protocol/spectrum.js';

const folder = mkdtempSync(join(tmpdir(), 'spectrum-'));
const [first, second, dora] = ['first', 'second', 'dora'].map((name) => resolve('test/golden/merging', name)) as [
  string,
  string,
  string,
];
const model = resolve('test/fixtures/models/gqa-tied');
const tiny = resolve('test/fixtures/models/tiny-llama');
const trained = resolve('test/golden/training/tiny-llama-final');
const atOnce = () => Promise.resolve();

test('what an adapter adds is measured against the base, and its directions against those of another', async () => {
  const counts: number[] = [];
  const spectrum = await adapterSpectrum({ adapter: first, model, other: second }, async (done) => void counts.push(done));
  expect(spectrum).toMatchObject({ rank: 4, adapter: first, other: second });
  expect(counts).toEqual(spectrum.matrices.map((_, index) => index + 1));
  const { weights } = openModel(model);
  for (const { layer, linear, baseNorm, similarity, norm, values } of spectrum.matrices) {
    const place = /_proj$/.test(linear) && linear.startsWith('down') ? 'mlp' : 'self_attn';
    const data = weights.readFloat32(`model.layers.${layer}.${place}.${linear}.weight`);
    expect(baseNorm).toBeCloseTo(Math.sqrt(data.reduce((sum, value) => sum + value * value, 0)), 3);
    expect(norm).toBeCloseTo(Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)), 10);
    // The other adapter changes only q and k.
    expect(similarity !== null).toBe(linear === 'q_proj');
  }
  weights.close();
  const energies = spectrum.ladder.map(({ energyKept }) => energyKept);
  expect(spectrum.ladder.map(({ rank }) => rank)).toEqual([4, 2, 1]);
  expect(energies[0]).toBeCloseTo(1, 12);
  expect(energies).toEqual([...energies].sort((a, b) => b - a));
  expect(rankVerdict(spectrum)).toEqual({ kind: 'allUsed', lower: spectrum.ladder[1] });
  const { similarity } = spectrum.matrices.find(({ linear }) => linear === 'q_proj')!;
  const grids = similarityGrids({ adapter: first, other: second, layer: 0, linear: 'q_proj' });
  expect(grids.input[similarity!.ranks - 1]![similarity!.ranks - 1]).toBe(similarity!.input);
  expect(grids.output.map((row) => row.length)).toEqual([3, 3, 3, 3]);
  expect(meanSimilarity(spectrum.matrices)!.inputByChance).toBeCloseTo(similarity!.ranks / 48, 12);
});

test('the verdict on a rank', () => {
  const matrices = [{ norm: 1 }] as never;
  const of = (...kept: number[]) =>
    rankVerdict({ matrices, ladder: kept.map((energyKept, index) => ({ rank: 8 >> index, energyKept })) });
  expect(of(1, 0.99, 0.96, 0.7)).toEqual({ kind: 'lowerWouldDo', lower: { rank: 2, energyKept: 0.96 } });
  expect(of(1, 0.94, 0.9)).toEqual({ kind: 'allUsed', lower: { rank: 4, energyKept: 0.94 } });
  expect(of(1)).toEqual({ kind: 'rankOne' });
  expect(rankVerdict({ matrices: [{ norm: 0 }] as never, ladder: [] })).toEqual({ kind: 'nothing' });
});

test('the loss of a lower rank is that of the adapter merged to this rank, and that of rank 0 is the base’s', async () => {
  const data = join(folder, 'held-out.jsonl');
  const texts = [
    'def add(left, right):\n    return left + right\n',
    'class Shelf:\n    def __init__(self):\n        self.books = []\n',
    'x = 1\n',
  ];
  writeFileSync(data, texts.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  const measure = (adapter: string) => rankLosses({ adapter, model: tiny, data }, { device: 'cpu', threads: 1 }, atOnce);
  const report = await measure(trained);
  expect(report.examples).toBe(3);
  const [whole, ...lower] = report.losses;
  expect(whole).toMatchObject({ difference: 0 });
  for (const { rank, loss, difference } of lower) {
    expect(difference).toBeCloseTo(loss - whole!.loss, 9);
    if (rank === 0) continue;
    const out = join(folder, `rank-${rank}`);
    await mergeAdapters({ adapters: [{ path: trained, weight: 1 }], rank, out }, () => undefined, new AbortController().signal);
    expect((await measure(out)).losses[0]!.loss).toBeCloseTo(loss, 5);
  }
  const half = await mergeAdapters(
    {
      adapters: [trained, trained].map((path, index) => ({ path, weight: index === 0 ? 1 : -1 })),
      rank: 1,
      out: join(folder, 'nothing'),
    },
    () => undefined,
    new AbortController().signal,
  );
  expect((await measure(half.out)).losses[0]!.loss).toBeCloseTo(lower.at(-1)!.loss, 5);
});

test('an adapter of no run has no held-out data', async () => {
  const request = { adapter: trained, model: tiny, data: null };
  await expect(rankLosses(request, { device: 'cpu', threads: 1 }, atOnce)).rejects.toThrow(
    /not known what was held out\. Name data/,
  );
});

test('the interval of a difference is that of a ratio of sums', () => {
  const batches = [
    [10, 5],
    [30, 10],
    [12, 6],
  ] as const;
  const [first, second] = [0, 0.5].map((more) =>
    batches.map(([lossSum, labelTokens], k) => ({ lossSum: lossSum + more * (k + 1), labelTokens })),
  );
  const { difference, halfInterval } = pairedDifference(first!, second!);
  expect(difference).toBeCloseTo(3 / 21, 12); // (0.5 + 1 + 1.5) / 21
  const squares = [0.5 - 5 / 7, 1 - 10 / 7, 1.5 - 6 / 7].reduce((sum, rest) => sum + rest * rest, 0);
  expect(halfInterval).toBeCloseTo((4.303 * Math.sqrt((squares * 3) / 2)) / 21, 12);
  expect(pairedDifference(first!.slice(1, 2), second!.slice(1, 2)).halfInterval).toBeNull();
});

// From tables of Student's t.
test.each([
  [2, 12.706],
  [3, 4.303],
  [4, 3.182],
  [6, 2.571],
  [11, 2.228],
  [31, 2.042],
  [1001, 1.962],
])('an interval of %i batches is %f standard errors wide to either side', (count, quantile) => {
  const zero = Array.from({ length: count }, () => ({ lossSum: 0, labelTokens: 1 }));
  const other = zero.map(({ labelTokens }, index) => ({ lossSum: index % 3, labelTokens }));
  const mean = other.reduce((total, { lossSum }) => total + lossSum, 0) / count;
  const squares = other.reduce((total, { lossSum }) => total + (lossSum - mean) ** 2, 0);
  const error = Math.sqrt(squares / (count - 1) / count);
  const { halfInterval } = pairedDifference(zero, other);
  expect(Math.abs(halfInterval! / error / quantile - 1)).toBeLessThan(0.01);
});

test('intruders of a weight that the adapter leaves alone are refused in one sentence', async () => {
  await expect(findIntruders({ adapter: first, model, layer: 1, linear: 'up_proj' }, atOnce)).rejects.toThrow(
    /leaves up_proj of layer 1 as it is\.$/,
  );
});

/** Runs the program as shipped; built before the tests. */
function spectrum(...args: string[]) {
  return spawnSync(process.execPath, [resolve('dist/cli.js'), 'spectrum', ...args], { encoding: 'utf8', cwd: folder });
}

test('on the command line', () => {
  const { stdout, status } = spectrum(first, '--model', model, '--compare', second, '--intruders', '1.q_proj', '--json');
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ rank: 4, losses: null, intruders: { layer: 1, linear: 'q_proj', threshold: 0.5 } });
  expect(spectrum(first).stdout).toMatch(/^All of rank 4 is in use: rank 2 would keep only \d+\.\d % of the change\./);
  expect(spectrum(first, '--intruders', 'q_proj').stderr).toMatch(/expected a layer and one of q_proj/);
  expect(spectrum(dora).stderr).toMatch(/is a DoRA adapter/);
});
