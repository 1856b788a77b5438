import { expect, test } from 'vitest';
import { firstPart, lastPart } from '../../../src/core/tokenizer/contextWindow.js';
import { chooseMode, stopAt } from '../../../src/complete/stopRules.js';

/** Proceeds as generation does: piece by piece, until the rule says stop. */
function generated(text: string, prefix: string, mode: 'line' | 'block', pieceLength = 3): string {
  for (let length = pieceLength; ; length += pieceLength) {
    const end = stopAt(text.slice(0, length), prefix, mode);
    if (end !== undefined) return text.slice(0, end);
    if (length >= text.length) return text;
  }
}

test('a line ends at its line break, but not before it has a word', () => {
  expect(generated('return a + b\n\nprint(1)', '    ', 'line')).toBe('return a + b');
  expect(generated('\n    return 1\nx', 'def f():', 'line')).toBe('\n    return 1');
});

test('a block ends where the indentation falls back, whatever the size of the pieces', () => {
  const python = 'if x:\n        return 1\n    return 2\n\n\ndef g():\n    pass';
  const braces = 'if (x) {\n    y();\n  }\n  return z;\n}\nfunction g() {}';
  for (const size of [1, 2, 3, 7, 100]) {
    expect(generated(python, 'def f(x):\n    ', 'block', size)).toBe('if x:\n        return 1\n    return 2');
    expect(generated(braces, 'function f(x) {\n  ', 'block', size)).toBe('if (x) {\n    y();\n  }\n  return z;\n}');
  }
});

test('auto: a block on a new line after a line that opens one, else a line', () => {
  expect(chooseMode('def f(x):\n    ', 'auto')).toBe('block');
  expect(chooseMode('function f() {\n', 'auto')).toBe('block');
  expect(chooseMode('const x = ', 'auto')).toBe('line');
  expect(chooseMode('def f(x):', 'auto')).toBe('line');
  expect(chooseMode('x = 1\n', 'block')).toBe('block');
});

test('a long context begins at a line, and its beginning stays while a word is typed', () => {
  const text = Array.from({ length: 200 }, (_, i) => `line ${i} of a long document\n`).join('');
  const cut = lastPart(text, 1000);
  expect(cut.length).toBeLessThanOrEqual(1000);
  expect(cut).toMatch(/^line \d+ of/);
  expect(lastPart(`${text}print`, 1000)).toBe(`${cut}print`);
  expect(firstPart(text, 40)).toBe('line 0 of a long document');
});
