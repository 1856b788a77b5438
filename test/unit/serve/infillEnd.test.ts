import { expect, test, vi } from 'vitest';
import { infillEnd } from '../../../src/serve/infillEnd.js';

test.each<[string, number, string | undefined]>([
  ['return x\n    y\nz', 4, 'return x\n    y'],
  ['return x\n\n   \n    y', 4, undefined],
  ['return x\n  ', 4, undefined],
  ['return x\n  y', 4, 'return x'],
  ['x\n\ty', 1, undefined],
  ['x\ny', 0, undefined],
])('%j with an indentation of at least %i ends as %j', (text, minIndent, expected) => {
  const end = infillEnd(minIndent, 0)(text);
  expect(end === undefined ? undefined : text.slice(0, end)).toBe(expected);
});

test('time is up only after a line break', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  const end = infillEnd(0, 500);
  expect(end('one line')).toBeUndefined();
  now.mockReturnValue(501);
  expect(end('one line still')).toBeUndefined();
  expect(end('one line\nand')).toBe(12);
});
