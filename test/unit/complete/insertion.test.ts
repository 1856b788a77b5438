import { expect, test } from 'vitest';
import { insertion } from '../../../src/complete/insertion.js';

/** The line after the insertion; the bar marks the cursor. */
function completed(line: string, text: string): string {
  const [prefix, suffix] = line.split('|') as [string, string];
  const { text: inserted, replaced } = insertion(prefix, suffix, text);
  return prefix + inserted + suffix.slice(replaced);
}

test.each([
  ['def high_stock(|)', 'items: list[Item]) -> list[str]:', 'def high_stock(items: list[Item]) -> list[str]:'],
  ['x = [|]', '1, (2, 3)]', 'x = [1, (2, 3)]'],
  ['x = {|}', '"a": {"b": 1}}', 'x = {"a": {"b": 1}}'],
  ['x = "|"', 'it\'s (so)" + y', 'x = "it\'s (so)" + y'],
  ["x = '|'", "a', 'b'", "x = 'a', 'b'"],
  ['    """|"""', 'What it does."""', '    """What it does."""'],
  ["x = f'|'", "{a}')", "x = f'{a}')"],
  ['foo(bar(|))', 'x), y)', 'foo(bar(x), y)'],
  ['foo(bar(|))', 'x), y', 'foo(bar(x), y)'],
  ['foo({ a: [|] });', '1], b: 2 });', 'foo({ a: [1], b: 2 });'],
])('what the editor closed by itself in %s is replaced by what the text closes', (line, text, whole) => {
  expect(completed(line, text)).toBe(whole);
});

test.each([
  ['def f(|)', 'a, b', 'def f(a, b)'],
  ['foo(|)', 'bar(x)', 'foo(bar(x))'],
  ['x = "|"', 'open', 'x = "open"'],
  ['function f() {|}', '\n  return 1;', 'function f() {\n  return 1;\n}'],
  ['  f(|);', '\n    a,\n    b,\n  )', '  f(\n    a,\n    b,\n  );'],
])('in %s nothing is left open that was closed, and nothing closed twice', (line, text, whole) => {
  expect(completed(line, text)).toBe(whole);
});

test.each([
  ['def f(|):', 'a, b) -> int:', 'def f(a, b) -> int:'],
  ['def f(|):', 'a, b) -> int', 'def f(a, b) -> int:'],
  ['x = foo(|) + bar', 'a, b) * 2', 'x = foo(a, b) + bar'],
  ['x = | + 1', 'a + 1', 'x = a + 1'],
  ['print(|value)', 'str(value))', 'print(str(value))'],
  ['foo(a|, b)', ' + 1, c)', 'foo(a + 1, c, b)'],
  ['x = f(|) or g()', 'a)\nreturn x', 'x = f(a) or g()'],
  ['if (x|) {', ' > 0) {', 'if (x > 0) {'],
  ['if (x|) {', ' > 0)', 'if (x > 0) {'],
  ['x = "|" + y', 'abc" + z', 'x = "abc" + y'],
  ['x = a| b', 'bc + d', 'x = abc + d b'],
  ['x = |foo(1)', 'foo(1) + 2', 'x = foo(1) + 2'],
  ['x = |foo(1)', 'foo(2)', 'x = foo(1)'],
  ['pri|nt(x)', 'nt(x, y)', 'print(x)'],
  ['f(|"a")', '"b", "c")', 'f("a")'],
  ['`a ${|} b`', 'name} b`;', '`a ${name} b`;'],
])('of other words behind the cursor in %s nothing is lost or doubled', (line, text, whole) => {
  expect(completed(line, text)).toBe(whole);
});

test('blanks behind the cursor and the lines below stay as they are', () => {
  expect(insertion('x = ', '  \ny = 2', '1  \n')).toEqual({ text: '1', replaced: 0 });
  expect(insertion('f(', ')\r\ng()', 'a)')).toEqual({ text: 'a)', replaced: 1 });
  expect(insertion('x', '', '  \n ')).toEqual({ text: '', replaced: 0 });
  expect(insertion('x', '\n)', ' + 1')).toEqual({ text: ' + 1', replaced: 0 });
});

test('what is replaced stays in the text, in order: else the editor would not show it', () => {
  const lines = ['f(|)', 'f({ a: [|] });', 'f( | )', 'x = "|"', 'print(|value)', "don't (|)", 'a = f(|) + "b"'];
  const texts = ['a)', 'a) + ")"', '"(")', '1] })', 'value), value)', "'x", '\n  a,\n)', '"a" + b', ''];
  for (const line of lines) {
    for (const text of texts) {
      const [prefix, suffix] = line.split('|') as [string, string];
      const { text: inserted, replaced } = insertion(prefix, suffix, text);
      const kept = [...suffix.slice(0, replaced)].reduce(
        (from, character) => (from < 0 ? -1 : inserted.indexOf(character, from) + 1 || -1),
        0,
      );
      expect(kept, `${line} ${text}`).toBeGreaterThanOrEqual(0);
    }
  }
});

test.each([
  ['export function isEven(n) {\n  |\n}\n', 'return n % 2 === 0;\n}', 'export function isEven(n) {\n  return n % 2 === 0;\n}\n'],
  ['a();\n|\n\nb();\nc();\n', 'x();\nb();\nc();', 'a();\nx();\n\nb();\nc();\n'],
  ['if (x) {\n  |\n}\n', 'if (y) {\n    a();\n  }', 'if (x) {\n  if (y) {\n    a();\n  }\n}\n'],
  ['a();\n|\nb();\n', 'b();', 'a();\n\nb();\n'],
])('what stands below the cursor already is not said again: %j', (text, generated, whole) => {
  expect(completed(text, generated)).toBe(whole);
});
