/** Where the cursor is put: what is asked for, and that the same seed asks for the same. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { chooseMode } from '../../../src/complete/stopRules.js';
import { choosePositions, type SourceFile } from '../../../src/evaluation/positions.js';
import { positionKinds } from '../../../src/protocol/completionReport.js';

function source(file: string, text: string): SourceFile {
  return { path: `/code/${file}`, file, repository: 'code', text };
}

const python = `import os

def first_words(path, count):
    """The first words of a file."""
    with open(path) as file:
        words = file.read().split()
    return words[:count]

class Box:
    def area(self):
        if self.width < 0:
            raise ValueError("negative", self.width)
        return self.width * self.height
`;
const typescript = `// A comment that says nothing of use.
export function total(items: readonly Item[]): number {
  let sum = 0;
  for (const item of items) {
    sum += priceOf(item, today());
  }
  return sum;
}

const byName = (items: Item[]) => {
  return items.sort((a, b) => compare(a.name, b.name));
};
`;
const middlesOf = (file: SourceFile, kind: string) =>
  choosePositions([file], 1000, 1)
    .filter((position) => position.kind === kind)
    .map(({ middle }) => middle);

describe('what is asked for', () => {
  test('bodies of functions are told from other blocks', () => {
    expect(middlesOf(source('a.py', python), 'functionBody')).toHaveLength(2);
    expect(middlesOf(source('a.py', python), 'block')).toEqual(
      expect.arrayContaining(['words = file.read().split()', 'raise ValueError("negative", self.width)']),
    );
    expect(middlesOf(source('a.ts', typescript), 'functionBody')).toEqual([
      expect.stringMatching(/^let sum = 0;[^]*return sum;$/),
      'return items.sort((a, b) => compare(a.name, b.name));',
    ]);
    expect(middlesOf(source('a.ts', typescript), 'block')).toEqual(['sum += priceOf(item, today());']);
  });

  test('arguments are those of calls, not the parameters of declarations or the conditions of statements', () => {
    expect(middlesOf(source('a.ts', typescript), 'arguments').sort()).toEqual([
      '(a, b) => compare(a.name, b.name)',
      'a.name, b.name',
      'item, today()',
    ]);
    expect(middlesOf(source('a.py', python), 'arguments').sort()).toEqual(['"negative", self.width', 'path']);
  });

  test('lines are whole lines, and rests of lines begin inside one; comments are neither', () => {
    const lines = new Set(typescript.split('\n').map((line) => line.trim()));
    const found = middlesOf(source('a.ts', typescript), 'line');
    expect(found.length).toBeGreaterThan(3);
    expect(found.filter((middle) => !lines.has(middle))).toEqual([]);
    const rests = middlesOf(source('a.ts', typescript), 'lineRest');
    expect(rests.every((rest) => rest.length >= 2 && [...lines].some((line) => line.endsWith(rest)))).toBe(true);
    expect([...found, ...rests].filter((middle) => /of use\.$/.test(middle))).toEqual([]);
  });
});

describe('in this repository', () => {
  const folders = ['src/core/data', 'src/complete', 'src/serve', 'src/runs'];
  const paths = folders
    .flatMap((folder) => readdirSync(folder).map((name) => `${folder}/${name}`))
    .filter((path) => path.endsWith('.ts'));
  const files = paths.map((path) => source(path, readFileSync(path, 'utf8')));
  const positions = choosePositions(files, 200, 7);

  test('positions are of every kind, from many files, and no longer than can be asked for', () => {
    expect(positions).toHaveLength(200);
    for (const kind of positionKinds) expect(positions.filter((position) => position.kind === kind).length).toBeGreaterThan(20);
    expect(new Set(positions.map((position) => position.source.file)).size).toBeGreaterThan(files.length * 0.7);
    for (const {
      source: { text },
      kind,
      start,
      end,
      prefix,
      middle,
      suffix,
    } of positions) {
      expect(middle.length).toBeLessThanOrEqual(700);
      expect(middle).toBe(middle.trimEnd());
      expect(
        text.slice(0, start).endsWith(prefix) && text.slice(end).startsWith(suffix) && text.slice(start, end) === middle,
      ).toBe(true);
      if (kind === 'line') expect(chooseMode(prefix, 'auto')).toBe('line');
      expect(prefix.trim()).not.toBe('');
      if (kind === 'block' || kind === 'functionBody') expect(chooseMode(prefix, 'auto')).toBe('block');
    }
  });

  test('the same seed gives the same positions, another seed others', () => {
    expect(choosePositions(files, 200, 7)).toEqual(positions);
    const places = (chosen: typeof positions) => new Set(chosen.map(({ source: { file }, start }) => `${file}:${start}`));
    const others = places(choosePositions(files, 200, 8));
    expect([...places(positions)].filter((place) => others.has(place)).length).toBeLessThan(100);
  });
});
