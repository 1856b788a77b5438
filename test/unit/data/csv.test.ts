import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { detectFileFormat } from '../../../src/core/data/detectFormat.js';
import { rowsOf } from '../../../src/core/data/rows/rows.js';
import { textFile, type DataFile } from '../../../src/core/data/source.js';
import { diskFiles } from '../../../src/files/dataFiles.js';

const fixtures = new URL('../../fixtures/data/', import.meta.url).pathname;
const goldens = JSON.parse(readFileSync(join(fixtures, 'csv.json'), 'utf8')) as Record<string, unknown>;

function fileAt(path: string): DataFile {
  const place = diskFiles.open(path);
  if (place.kind !== 'file') throw new Error('not a file');
  return place.file;
}
const itemsOf = (text: string, path = 'x.csv') => [...rowsOf(textFile(path, text))];
const valuesOf = (text: string, path?: string) => itemsOf(text, path).map((item) => ('value' in item ? item.value : item));

test.each(Object.keys(goldens).filter((name) => name !== 'versions'))('%s is read as by Python’s csv module', (name) => {
  const items = [...rowsOf(fileAt(join(fixtures, name)))];
  expect(items.map((item) => ('value' in item ? item.value : item))).toEqual(goldens[name]);
});

test('a row has the number of the line on which it begins', () => {
  const items = itemsOf('text,label\n"one\ntwo",a\n\n"three",b\nfour,"c\n\n"\nfive,d');
  expect(items.map(({ number }) => number)).toEqual([2, 5, 6, 9]);
});

test('any texts survive being written as CSV, however long', () => {
  const character = fc.constantFrom('a', 'b', ' ', ',', ';', '\t', '"', '\n', 'é', '😀', '|');
  const text = fc
    .tuple(fc.string({ unit: character, maxLength: 20 }), fc.constantFrom(1, 1, 1, 5000))
    .map(([part, times]) => part.repeat(times));
  const quoted = (value: string) => (/[",\n]/.test(value) || value === '' ? `"${value.replaceAll('"', '""')}"` : value);
  const row = fc.tuple(text, text).filter(([first, second]) => first + second !== '');
  fc.assert(
    fc.property(fc.array(row, { maxLength: 30 }), (rows) => {
      const file = ['text,label', ...rows.map((cells) => cells.map(quoted).join(','))].join('\n');
      expect(valuesOf(file)).toEqual(rows.map(([first, second]) => ({ text: first, label: second })));
    }),
    { numRuns: 60 },
  );
});

describe('what is wrong is told with its line, and the rest is used', () => {
  test.each<[string, string, unknown[]]>([
    [
      'too many fields',
      'text\na\nb,c\nd',
      [{ text: 'a' }, { number: 3, problem: 'it has 2 fields, but the header has 1' }, { text: 'd' }],
    ],
    [
      'a quotation mark that is not closed',
      'text\na\n"b\nc\nd',
      [{ text: 'a' }, { number: 3, problem: 'a quotation mark is opened but not closed; nothing after it was read' }],
    ],
    [
      'a line that is too long',
      `text\na\n${'x'.repeat(9 * 2 ** 20)}\nb`,
      [{ text: 'a' }, { number: 3, problem: 'the line is longer than 8 MB' }, { text: 'b' }],
    ],
  ])('%s', (_, text, expected) => expect(valuesOf(text)).toEqual(expected));

  test('a record without an end does not take the square of its length', () => {
    const start = performance.now();
    expect(valuesOf(`text\n"${`${'x'.repeat(99)}\n`.repeat(150_000)}`)).toHaveLength(1);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});

test('columns mean what the fields of JSON mean; lists are written as JSON', () => {
  const messages = [
    { role: 'user', content: 'Hi, "you"' },
    { role: 'assistant', content: 'Hello' },
  ];
  const chat = `messages\n"${JSON.stringify(messages).replaceAll('"', '""')}"\n"[not JSON"`;
  expect(valuesOf(chat)).toEqual([{ messages }, { messages: '[not JSON' }]);
  expect(valuesOf('input_ids;labels\n[1, 2];[-100, 2]')).toEqual([{ input_ids: [1, 2], labels: [-100, 2] }]);
  const format = (text: string) => detectFileFormat(textFile('x.csv', text));
  expect(format(chat)).toBe('chat');
  expect(format('id,prompt,completion\n1,a,b')).toBe('prompt-completion');
  expect(format('\ufeffinstruction|input|output\na|b|c')).toBe('alpaca');
  expect(() => format('question,answer\na,b')).toThrow(/x\.csv:2.*question, answer/);
  expect(() => format('text')).toThrow(/x\.csv has no row/);
});
