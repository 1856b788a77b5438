import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Metric } from '../../../src/protocol/run.js';
import { Column } from '../../../webview/plots/column.js';
import { decimate } from '../../../webview/plots/decimate.js';
import { RunSeries } from '../../../webview/plots/runSeries.js';
import { Smoothed } from '../../../webview/plots/smoothing.js';

function columnOf(values: readonly number[]): Column {
  const column = new Column();
  for (const value of values) column.push(value);
  return column;
}

const number = fc.double({ noNaN: true, noDefaultInfinity: true });

describe('a column', () => {
  test('knows the extremes of every range', () => {
    const range = fc
      .array(number, { minLength: 1, maxLength: 3000, size: 'max' })
      .chain((values) => fc.tuple(fc.constant(values), fc.nat(values.length - 1), fc.nat(values.length - 1)));
    fc.assert(
      fc.property(range, ([values, one, other]) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other) + 1];
        const [least, greatest] = columnOf(values).extremes(from, to);
        const part = values.slice(from, to);
        expect(values[least]).toBe(part.reduce((a, b) => Math.min(a, b)));
        expect(values[greatest]).toBe(part.reduce((a, b) => Math.max(a, b)));
      }),
      { numRuns: 60 },
    );
  });

  test('finds the nearest of rising values', () => {
    const column = columnOf([10, 20, 40]);
    expect([9, 14, 16, 29, 31, 99].map((value) => column.nearest(value))).toEqual([0, 0, 1, 1, 2, 2]);
    expect(new Column().nearest(1)).toBeUndefined();
  });
});

describe('decimation', () => {
  test('keeps ends, order and every spike, in at most two points a pixel', () => {
    const values = Array.from({ length: 100_000 }, (_, index) => Math.sin(index / 500));
    values[12_345] = 9;
    values[77_777] = -9;
    const kept = decimate(columnOf(values), 0, values.length, 400);
    expect(kept.length).toBeLessThanOrEqual(2 * 400 + 2);
    expect(kept).toEqual([...new Set(kept)].sort((a, b) => a - b));
    expect(kept).toEqual(expect.arrayContaining([0, 12_345, 77_777, 99_999]));
  });

  test('keeps everything where there is room for it', () => {
    expect(decimate(columnOf([1, 2, 3, 4]), 1, 4, 400)).toEqual([1, 2, 3]);
  });
});

describe('smoothing', () => {
  /** Σ wⁿ⁻ⁱ·xᵢ / Σ wⁿ⁻ⁱ: the recursion, written out. */
  const weightedMean = (values: readonly number[], end: number, weight: number) => {
    const weights = values.slice(0, end + 1).map((_, index) => weight ** (end - index));
    return (
      values.slice(0, end + 1).reduce((sum, value, index) => sum + weights[index]! * value, 0) / weights.reduce((a, b) => a + b)
    );
  };

  test('is the weighted mean of all values so far, however they arrive', () => {
    const values = [4, 2, 7, 1, 1, 3];
    const source = columnOf(values.slice(0, 2));
    const smoothed = new Smoothed(source, 0.9);
    smoothed.update(0.9);
    for (const value of values.slice(2)) source.push(value);
    for (const weight of [0.9, 0.3]) {
      const column = smoothed.update(weight);
      values.forEach((_, index) => {
        expect(column.at(index)).toBeCloseTo(weightedMean(values, index, weight), 12);
      });
    }
  });
});

describe('the series of a run', () => {
  const step = (at: number): Metric => ({
    step: at,
    loss: at,
    learning_rate: 0,
    grad_norm: 0,
    tokens: 0,
    tokens_per_second: 0,
    elapsed_seconds: 0,
    peak_memory_bytes: 0,
  });

  test('takes each metric once, refuses gaps, and starts over at 0', () => {
    const series = new RunSeries();
    expect(series.append(0, [step(1), { step: 1, eval_loss: 5 }, step(2)])).toBe(true);
    expect(series.append(2, [step(2), step(3)])).toBe(true);
    expect(series.append(9, [step(9)])).toBe(false);
    expect(Array.from({ length: series.steps.length }, (_, index) => series.steps.at(index))).toEqual([1, 2, 3]);
    expect(series.best).toEqual({ step: 1, loss: 5 });
    series.append(0, [step(7)]);
    expect([series.steps.length, series.evalLoss.length, series.steps.at(0)]).toEqual([1, 0, 7]);
  });
});
