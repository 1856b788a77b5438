import { describe, expect, it } from 'vitest';
import { sideBySide, wrapText } from '../../../src/cli/columns.js';
import { lossChart } from '../../../src/cli/lossChart.js';
import { bytes, duration } from '../../../src/cli/format.js';

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
