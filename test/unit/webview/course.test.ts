import { describe, expect, test } from 'vitest';
import type { Metric } from '../../../src/protocol/run.js';
import { RunSeries } from '../../../webview/plots/runSeries.js';
import { courseOf, outcomeOf } from '../../../webview/runs/course.js';

/** Noise between -0.5 and 0.5, the same for the same seed. */
function noiseOf(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647 - 0.5;
}

interface Shape {
  readonly steps: number;
  readonly loss: (step: number) => number;
  readonly noise?: number;
  readonly rate?: (step: number) => number;
  /** The held-out loss at every tenth step and before the first. */
  readonly heldOut?: (step: number) => number;
}

function seriesOf({ steps, loss, noise = 0.4, rate = () => 1e-4, heldOut }: Shape, seed = 1): RunSeries {
  const next = noiseOf(seed);
  const evaluation = (step: number): Metric[] => (heldOut && step % 10 === 0 ? [{ step, eval_loss: heldOut(step) }] : []);
  const metrics = Array.from({ length: steps }, (_, index): Metric[] => {
    const step = index + 1;
    const measured = { tokens: step, tokens_per_second: 9, elapsed_seconds: step, peak_memory_bytes: 9, grad_norm: 1 };
    return [{ step, loss: loss(step) + noise * next(), learning_rate: rate(step), ...measured }, ...evaluation(step)];
  });
  const series = new RunSeries();
  series.append(0, [...evaluation(0), ...metrics.flat()]);
  return series;
}

const falling = (step: number) => 1 + 1.6 * Math.exp(-step / 30);
const seeds = Array.from({ length: 40 }, (_, index) => 17 * index + 1);

describe('how a run goes', () => {
  test('nothing is said of a few steps', () => {
    expect(courseOf(new RunSeries())).toEqual({ kind: 'early' });
    expect(courseOf(seriesOf({ steps: 12, loss: falling }))).toEqual({ kind: 'early' });
  });

  test('warming up lasts as long as the learning rate rises', () => {
    const rate = (step: number) => 1e-4 * Math.min(1, step / 30) * (step > 30 ? 0.99 ** step : 1);
    expect(courseOf(seriesOf({ steps: 4, loss: falling, rate })).kind).toBe('warmingUp');
    expect(courseOf(seriesOf({ steps: 30, loss: () => 2, rate })).kind).toBe('warmingUp');
    expect(courseOf(seriesOf({ steps: 40, loss: falling, rate })).kind).toBe('falling');
  });

  test('a loss that falls is told from one that does not, through the noise of small batches', () => {
    for (const seed of seeds) {
      expect(courseOf(seriesOf({ steps: 60, loss: falling }, seed))).toMatchObject({ kind: 'falling' });
    }
    const kinds = seeds.map((seed) => courseOf(seriesOf({ steps: 400, loss: falling }, seed)).kind);
    // Two standard errors: exceeded by chance in about one of forty.
    expect(kinds.filter((kind) => kind === 'flat').length).toBeGreaterThanOrEqual(36);
    expect(kinds).not.toContain('diverging');
  });

  test('the figures are the means of the steps before and of late', () => {
    const course = courseOf(seriesOf({ steps: 40, noise: 0, loss: (step) => (step <= 30 ? 2 : 1) }));
    expect(course).toEqual({ kind: 'falling', from: 2, to: 1 });
  });

  test('noise alone never raises the alarm', () => {
    for (const seed of seeds)
      expect(courseOf(seriesOf({ steps: 80, loss: () => 1.2, noise: 1.6 }, seed)).kind).not.toBe('diverging');
  });

  test('a loss that has come apart is diverging, also while warming up and where it stays high', () => {
    const apart = (step: number) => (step < 60 ? falling(step) : 4);
    expect(courseOf(seriesOf({ steps: 80, loss: apart }))).toMatchObject({ kind: 'diverging' });
    expect(courseOf(seriesOf({ steps: 200, loss: apart, rate: (step) => step }))).toMatchObject({ kind: 'diverging' });
  });

  test('a held-out loss that rises while the training loss falls is overfitting, since its best', () => {
    const heldOut = (step: number) => (step <= 60 ? 2 - step / 100 : 1.4 + (step - 60) / 200);
    const course = courseOf(seriesOf({ steps: 100, loss: falling, heldOut }));
    expect(course).toMatchObject({
      kind: 'overfitting',
      step: 60,
      from: expect.closeTo(1.4) as number,
      to: expect.closeTo(1.6) as number,
    });
    // One evaluation above the best may be chance.
    expect(courseOf(seriesOf({ steps: 70, loss: falling, heldOut })).kind).not.toBe('overfitting');
    // Nor is it overfitting if the training loss has risen as well.
    const both = (step: number) => (step <= 60 ? 2 : 2.3);
    expect(courseOf(seriesOf({ steps: 100, loss: both, noise: 0.1, heldOut })).kind).toBe('flat');
  });

  test('a held-out loss that still falls is heard where the training loss is too noisy to tell', () => {
    const still = { steps: 60, loss: () => 2, noise: 1.5 };
    expect(courseOf(seriesOf({ ...still, heldOut: (step) => 2 - step / 200 }))).toEqual({
      kind: 'heldOutFalling',
      from: 1.75,
      to: 1.7,
    });
    expect(courseOf(seriesOf({ ...still, heldOut: () => 2 })).kind).toBe('flat');
  });
});

describe('what a run changed', () => {
  test('is told by the held-out loss before the first step, after the last, and at its best', () => {
    const heldOut = (step: number) => (step <= 30 ? 2.6 - step / 30 : 1.8);
    const outcome = outcomeOf(seriesOf({ steps: 50, loss: falling, heldOut }));
    expect(outcome).toEqual({ kind: 'heldOut', before: 2.6, after: 1.8, best: expect.closeTo(1.6) as number, bestStep: 30 });
  });

  test('is told by the training loss where nothing is held out, and not at all of a few steps', () => {
    const outcome = outcomeOf(seriesOf({ steps: 40, noise: 0, loss: (step) => (step <= 20 ? 3 : 1) }));
    expect(outcome).toEqual({ kind: 'training', before: 3, after: 1 });
    expect(outcomeOf(seriesOf({ steps: 8, loss: falling }))).toBeUndefined();
    // Stopped after the first evaluation: there is nothing to compare it with.
    expect(outcomeOf(seriesOf({ steps: 8, loss: falling, heldOut: () => 2 }))).toBeUndefined();
  });
});
