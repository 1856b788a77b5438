import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rowsOf } from '../../../src/core/data/rows/rows.js';
import { Unusable } from '../../../src/core/data/source.js';
import { UserError } from '../../../src/core/errors.js';
import { diskFiles } from '../../../src/files/dataFiles.js';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'data-files-'))));
afterEach(() => rmSync(folder, { recursive: true }));

function write(path: string, content: string | Uint8Array = 'x\n'): string {
  const whole = join(folder, path);
  mkdirSync(dirname(whole), { recursive: true });
  writeFileSync(whole, content);
  return whole;
}
function filesIn(path: string): string[] {
  const place = diskFiles.open(path);
  return place.kind === 'folder' ? place.files.map((file) => relative(folder, file.path).replaceAll('\\', '/')) : [];
}
function fileAt(path: string) {
  const place = diskFiles.open(path);
  if (place.kind !== 'file') throw new Error('not a file');
  return place.file;
}

test('a folder holds what git would track, at every level', () => {
  write('.gitignore', '*.log\n/build/\n!keep.log\nsecret*\n# note\n');
  write('deep/.gitignore', '!special.log\nlocal.txt\nsub/*\n!sub/kept.ts\n');
  for (const path of [
    'a.ts',
    'b.log',
    'keep.log',
    'build/out.js',
    'src/build/x.ts',
    'secret.env',
    'deep/secret/x.ts',
    'deep/special.log',
    'deep/other.log',
    'deep/local.txt',
    'deep/more/local.txt',
    'local.txt',
    'deep/sub/kept.ts',
    'deep/sub/gone.ts',
    'ümlaut.md',
  ])
    write(path);
  execFileSync('git', ['init', '-q'], { cwd: folder });
  const listed = execFileSync('git', ['-c', 'core.quotePath=off', 'ls-files', '--others', '--exclude-standard'], {
    cwd: folder,
    encoding: 'utf8',
  });
  const hidden = /(^|\/)\./;
  // Files that git tracks may still be private: hidden files and secrets have their own rules.
  const tracked = listed
    .trim()
    .split('\n')
    .filter((path) => !hidden.test(path))
    .sort();
  expect(filesIn(folder).sort()).toEqual(tracked);
  expect(filesIn(join(folder, 'deep')).sort()).toEqual(tracked.filter((path) => path.startsWith('deep/')));
});

test('a folder that git ignores is read all the same when it is the one that was chosen', () => {
  write('.gitignore', 'packages/\n*.log\n');
  for (const path of ['packages/one/lib/a.js', 'packages/one/b.log', 'packages/one/c.js', 'src/d.log', 'src/e.js']) write(path);
  write('packages/one/.gitignore', 'c.js\n');
  execFileSync('git', ['init', '-q'], { cwd: folder });
  expect(filesIn(join(folder, 'packages/one'))).toEqual(['packages/one/b.log', 'packages/one/lib/a.js']);
  expect(filesIn(join(folder, 'src'))).toEqual(['src/e.js']);
});

test('hidden files, secrets and the code of others are left out, with the reason, and not opened', () => {
  for (const path of ['a.ts', '.env', '.github/ci.yml', 'deep/server.pem', 'vendor/lib.go', 'deep/b.jsonl']) write(path);
  const place = diskFiles.open(folder);
  if (place.kind !== 'folder') throw new Error('not a folder');
  expect(filesIn(folder)).toEqual(['a.ts', 'deep/b.jsonl']);
  expect(place.leftOut).toEqual([
    { path: join(folder, '.env'), kind: 'hidden' },
    { path: join(folder, '.github'), kind: 'hidden' },
    { path: join(folder, 'deep/server.pem'), kind: 'secret' },
    { path: join(folder, 'vendor'), kind: 'vendored' },
  ]);
  // A file that was chosen individually was chosen deliberately.
  expect(fileAt(join(folder, '.env')).text()).toBe('x\n');
});

test('symbolic links are not followed', () => {
  write('a.ts');
  const elsewhere = mkdtempSync(join(tmpdir(), 'elsewhere-'));
  writeFileSync(join(elsewhere, 'private.txt'), 'x');
  symlinkSync(elsewhere, join(folder, 'link'));
  symlinkSync(join(elsewhere, 'private.txt'), join(folder, 'link.txt'));
  const place = diskFiles.open(folder);
  rmSync(elsewhere, { recursive: true });
  expect(filesIn(folder)).toEqual(['a.ts']);
  expect(place.kind === 'folder' && place.skipped).toEqual([
    { origin: join(folder, 'link'), reason: 'a symbolic link' },
    { origin: join(folder, 'link.txt'), reason: 'a symbolic link' },
  ]);
});

test.each<[string, Uint8Array, RegExp]>([
  ['a picture', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13), /binary/],
  ['Latin-1', Uint8Array.from(Buffer.from('caf\xe9 au lait\n'.repeat(20), 'latin1')), /binary|UTF-8/],
  ['UTF-16', Uint8Array.from(Buffer.from('\ufeffsome text\n', 'utf16le')), /UTF-8/],
])('%s is no text', (_, bytes, reason) => {
  const file = fileAt(write('x.bin', bytes));
  expect(() => file.text()).toThrow(Unusable);
  expect(() => file.text()).toThrow(reason);
});

test('lines keep their numbers over chunks, endless lines and broken bytes', () => {
  const long = 'y'.repeat(3 * 2 ** 20);
  const path = write(
    'rows.jsonl',
    Buffer.concat([
      Buffer.from('\ufeff{"a": 1}\r\n\n'),
      Buffer.from(`{"a": "${long}"}\n`),
      Buffer.alloc(9 * 2 ** 20, 'z'),
      Buffer.from([0x0a, 0x22, 0xff, 0x22, 0x0a]),
      Buffer.from('{"a": "é😀"}'),
    ]),
  );
  expect([...rowsOf(fileAt(path))]).toEqual([
    { number: 1, value: { a: 1 } },
    { number: 3, value: { a: long } },
    { number: 4, problem: 'the line is longer than 8 MB' },
    { number: 5, problem: 'not UTF-8 text; save it as UTF-8' },
    { number: 6, value: { a: 'é😀' } },
  ]);
});

test('a path that is not there is one clear error', () => {
  const attempt = () => diskFiles.open(join(folder, 'nowhere'));
  expect(attempt).toThrow(UserError);
  expect(attempt).toThrow(/nowhere does not exist/);
});
