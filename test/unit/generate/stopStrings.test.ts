import fc from 'fast-check';
import { expect, it } from 'vitest';
import { StopStrings } from '../../../src/core/generate/stopStrings.js';

/** The text up to the first stop string, however it is split into pieces. */
function expected(text: string, stops: readonly string[]): string {
  const ends = stops.map((stop) => text.indexOf(stop)).filter((index) => index >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

function streamed(pieces: readonly string[], stops: readonly string[]): string {
  const filter = new StopStrings(stops);
  let shown = '';
  for (const piece of pieces) {
    const { text, stopped } = filter.push(piece);
    shown += text;
    if (stopped) return shown;
  }
  return shown + filter.end();
}

// Few letters, so that stop strings and their beginnings do occur; one stop string at a time, because two that overlap may differ
// in which of them is complete first.
const letters = (max: number) => fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: max });

it('shows the same text in whatever pieces it comes', () => {
  fc.assert(
    fc.property(fc.array(letters(4), { maxLength: 12 }), letters(4), (pieces, stop) => {
      expect(streamed(pieces, [stop])).toBe(expected(pieces.join(''), [stop]));
    }),
  );
});

it('holds back no more than may become a stop string', () => {
  const filter = new StopStrings(['###', '</s>']);
  expect(filter.push('one ##')).toEqual({ text: 'one ', stopped: false });
  expect(filter.push(' two <')).toEqual({ text: '## two ', stopped: false });
  expect(filter.push('/s> three')).toEqual({ text: '', stopped: true });
});
