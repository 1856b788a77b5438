import { afterEach, describe, expect, it, vi } from 'vitest';
import { sideBySide, wrapText } from '../../../src/cli/columns.js';
import { lossChart } from '../../../src/cli/lossChart.js';
import { bytes, duration } from '../../../src/cli/format.js';
import { progressBar } from '../../../src/cli/liveText.js';
import { Output } from '../../../src/cli/output.js';
import { TrainingView } from '../../../src/cli/trainingView.js';
import type { Metric, StepMetric } from '../../../src/protocol/run.js';

describe('text on a terminal', () => {
  it('wraps without losing a word', () => {
    const text = 'A rank is the number of independent rows, or equally of independent columns. Supercalifragilistic!';
    const lines = wrapText(text, 14);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(14);
    expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
  });

  it('puts two answers beside each other only where both stay readable', () => {
    const [left, right] = [
      { title: 'Base', text: 'one two three' },
      { title: 'Adapter', text: 'four' },
    ];
    expect(sideBySide(left, right, 100).split('\n')[0]).toMatch(/^Base +│ {2}Adapter$/);
    expect(sideBySide(left, right, 60)).toBe('Base:\n  one two three\nAdapter:\n  four');
  });

  it('says sizes and times as people do', () => {
    expect([bytes(0), bytes(98_362_432), bytes(4_200_000_000)]).toEqual(['0 B', '98.4 MB', '4.2 GB']);
    expect([duration(4.4), duration(272), duration(7261)]).toEqual(['4 s', '4 min 32 s', '2 h 1 min']);
  });
});

describe('the loss chart', () => {
  const points = Array.from({ length: 300 }, (_, index) => ({ step: index + 1, loss: 3 - index / 150 }));

  it('falls from the first loss to the last within the width', () => {
    const chart = lossChart({ points, heldOut: [] }, 60, false).split('\n');
    expect(Math.max(...chart.map((line) => line.length))).toBeLessThanOrEqual(60);
    expect(Number(/[\d.]+/.exec(chart[0]!)![0])).toBeCloseTo(3, 1);
    expect(Number(/[\d.]+/.exec(chart[10]!)![0])).toBeCloseTo(1, 1);
    expect(chart[11]).toMatch(/step 1 +step 300$/);
    // The line falls: rows further down end further right.
    const ends = chart.slice(0, 11).map((line) => line.trimEnd().length);
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
  });

  it('draws a run of one step', () => {
    expect(lossChart({ points: points.slice(0, 1), heldOut: [] }, 60, false)).toContain('3.00');
  });
});

describe('a run in progress', () => {
  const step = (number: number, loss: number): StepMetric => ({
    step: number,
    loss,
    learning_rate: 1e-3,
    grad_norm: 1,
    tokens: 100 * number,
    tokens_per_second: 50,
    elapsed_seconds: 2 * number,
    peak_memory_bytes: 0,
  });
  const metrics: Metric[] = [{ step: 0, eval_loss: 4 }, step(1, 3), step(2, 2), step(3, 1), { step: 3, eval_loss: 1.5 }];

  /** What is written to either stream while a view shows the metrics. */
  function written(terminal: boolean): string {
    let text = '';
    for (const stream of [process.stdout, process.stderr])
      vi.spyOn(stream, 'write').mockImplementation((piece) => Boolean((text += String(piece))));
    const output = Object.assign(new Output(false), { interactive: terminal });
    const view = new TrainingView(output);
    for (const metric of metrics) view.show(metric, 3);
    view.end();
    return text;
  }
  afterEach(() => vi.restoreAllMocks());

  it('is plain lines where there is no terminal', () => {
    expect(written(false)).toBe(
      [
        'step 0: held-out loss 4.0000',
        'step 1/3  loss 3.0000  learning rate 1.00e-3  50 tokens/s  ? left',
        'step 2/3  loss 2.0000  learning rate 1.00e-3  50 tokens/s  2 s left',
        'step 3/3  loss 1.0000  learning rate 1.00e-3  50 tokens/s  0 s left',
        'step 3: held-out loss 1.5000',
        '',
      ].join('\n'),
    );
  });

  it('is a curve and a bar on a terminal, redrawn in place below the lines that stay', () => {
    const text = written(true);
    expect(text).toMatch(/ 3\.00 ┼/);
    expect(text).toContain(`${progressBar(3, 3)} 3/3  loss 1.000  50 tokens/s  0 s left`);
    expect(text).toContain('\u001b[1A');
    expect(text.indexOf('step 3: held-out loss 1.5000')).toBeLessThan(text.lastIndexOf('training loss, smoothed'));
  });

  it('fills the bar as it goes', () => {
    expect([0, 6, 12].map((done) => progressBar(done, 12).indexOf('░'))).toEqual([0, 12, -1]);
  });
});
