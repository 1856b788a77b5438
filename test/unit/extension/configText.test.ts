import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { difference, parseConfigText, withEdits } from '../../../src/extension/configText.js';
import { replaceFile } from '../../../src/extension/replaceFile.js';

const commented = `// A first trial.
{
    "model": "tiny", // small
    "lora": { "r": 8 },
    "train": { "max_steps": 7, },
}
`;

describe('a run config as text', () => {
  test.each([
    ['comments and trailing commas', commented, { model: 'tiny', lora: { r: 8 }, train: { max_steps: 7 } }],
    ['nothing', ' \n', {}],
    ['a byte order mark', '\uFEFF{"model": "tiny"}', { model: 'tiny' }],
  ])('is read with %s', (_, text, config) => expect(parseConfigText(text)).toEqual(config));

  test.each(['[]', 'null', '{"model": }', '{"model": "a"', '{} {}', '{"a":'.repeat(100_000)])(
    'is refused where it is no object: %.12s',
    (text) => {
      expect(parseConfigText(text)).toBeUndefined();
      expect(withEdits(text, [{ path: ['lora', 'r'], value: 4 }])).toBeUndefined();
    },
  );

  test('keeps its comments and its layout under many edits, one after the other', () => {
    let text = commented;
    for (let r = 1; r <= 30; r++) {
      text = withEdits(text, [
        { path: ['lora', 'r'], value: r },
        { path: ['train', 'learning_rate'], value: r / 1000 },
      ])!;
      expect(parseConfigText(text)).toMatchObject({ lora: { r }, train: { learning_rate: r / 1000 } });
    }
    expect(text).toContain('// A first trial.\n{\n    "model": "tiny", // small\n');
  });

  test('takes edits where there is nothing yet, and loses nothing by removing what is not there', () => {
    expect(withEdits('', [{ path: ['lora', 'r'], value: 4 }])).toBe('{\n  "lora": {\n    "r": 4\n  }\n}');
    expect(withEdits(commented, [{ path: ['data', 'packing'] }])).toBe(commented);
    expect(parseConfigText(withEdits('{"lora": null}', [{ path: ['lora', 'r'], value: 4 }])!)).toEqual({ lora: { r: 4 } });
    expect(withEdits('\uFEFF{}', [{ path: ['model'], value: 'a' }])).toMatch(/^\uFEFF\{/);
  });

  test.each([
    ['abc', 'aXc'],
    ['aa', 'aaa'],
    ['aaa', 'aa'],
    ['', 'x'],
    ['same', 'same'],
    [commented, withEdits(commented, [{ path: ['lora', 'r'], value: 16 }])!],
  ])('the difference leads from %j to %j', (before, after) => {
    const { start, end, text } = difference(before, after);
    expect(before.slice(0, start) + text + before.slice(end)).toBe(after);
  });
});

describe('replacing a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'replace-file-'));

  test('makes it, keeps its mode, follows a link, and leaves nothing beside it', async () => {
    const [file, link] = [join(folder, 'run.json'), join(folder, 'link.json')];
    await replaceFile(file, 'one');
    chmodSync(file, 0o640);
    symlinkSync(file, link);
    await replaceFile(link, 'two');
    expect(readFileSync(file, 'utf8')).toBe('two');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link.json', 'run.json']);
  });

  test('that cannot be written leaves the old one', async () => {
    const inside = join(folder, 'run.json', 'run.json');
    await expect(replaceFile(inside, 'three')).rejects.toThrow();
    writeFileSync(join(folder, 'run.json'), 'two');
    expect(existsSync(inside)).toBe(false);
    expect(readFileSync(join(folder, 'run.json'), 'utf8')).toBe('two');
  });
});
