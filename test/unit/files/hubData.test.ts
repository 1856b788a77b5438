import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rowsOf } from '../../../src/core/data/rows/rows.js';
import { UserError } from '../../../src/core/errors.js';
import { diskFiles } from '../../../src/files/dataFiles.js';
import { downloadData, fetchData, type FetchPorts } from '../../../src/files/hubData/fetchData.js';
import { hubDataReference } from '../../../src/files/hubData/reference.js';
import { chooseDataFiles } from '../../../src/files/hubData/splits.js';
import { LoopbackHub } from '../../support/loopbackHub.js';

const fixtures = new URL('../../fixtures/data/', import.meta.url).pathname;
const referenceTo = (text: string) => hubDataReference(text)!;

describe('which files are meant', () => {
  const { cases } = JSON.parse(readFileSync(join(fixtures, 'splits.json'), 'utf8')) as {
    cases: { paths: string[]; configs: unknown; splits: Record<string, Record<string, string[]>> }[];
  };

  test.each(cases)('$paths, $configs: as the datasets library says', ({ paths, configs, splits }) => {
    for (const [config, files] of Object.entries(splits)) {
      for (const [split, expected] of Object.entries(files)) {
        const chosen = chooseDataFiles(referenceTo(`a/b:${config}/${split}`), paths, { configs });
        expect(chosen.paths.toSorted()).toEqual(expected);
      }
      expect(chooseDataFiles(referenceTo(`a/b:${config}`), paths, { configs }).paths.toSorted()).toEqual(files['train']);
    }
  });

  const paths = ['data/train-0.parquet', 'data/test-0.parquet', 'notes/README.md'];
  const choose = (text: string, files = paths, card: unknown = null) => chooseDataFiles(referenceTo(text), files, card);

  test('training data, unless another split or a file is named', () => {
    expect(choose('a/b')).toEqual({ paths: ['data/train-0.parquet'], otherSelections: ['test'] });
    expect(choose('a/b:test').paths).toEqual(['data/test-0.parquet']);
    expect(choose('a/b:data/test-0.parquet').paths).toEqual(['data/test-0.parquet']);
    expect(choose('a/b:more.csv', [...paths, 'more.csv']).paths).toEqual(['more.csv']);
    expect(choose('a/b:data').paths).toEqual(['data/test-0.parquet', 'data/train-0.parquet']);
    const converted = ['main/train/0000.parquet', 'main/test/0000.parquet', 'other/train/0000.parquet'];
    expect(choose('a/b@refs/convert/parquet:main/train', converted).paths).toEqual(['main/train/0000.parquet']);
  });

  test.each<[string, string, string[], unknown, RegExp]>([
    ['a split that is not there', 'a/b:dev', paths, null, /a\/b:dev names no data.*train, test.*data\/train-0\.parquet/],
    [
      'nothing that can be read',
      'a/b',
      ['data.arrow', 'run.py'],
      null,
      /no Parquet.*data\.arrow, run\.py.*a\/b@refs\/convert\/parquet/,
    ],
    [
      'several configurations',
      'a/b',
      ['en/x.csv', 'de/x.csv'],
      { configs: ['en', 'de'].map((name) => ({ config_name: name, data_files: `${name}/*` })) },
      /several configurations: en, de.*a\/b:en/,
    ],
  ])('%s is one clear error', (_, text, files, card, reason) => {
    expect(() => choose(text, files, card)).toThrow(UserError);
    expect(() => choose(text, files, card)).toThrow(reason);
  });

  test.each([
    [{ configs: 5 }],
    [{ configs: [null, 'x', { config_name: 3, data_files: [1, { split: {}, path: [[]] }] }] }],
    ['x'],
  ])('a card that says %j is as good as none', (card) =>
    expect(choose('a/b', paths, card).paths).toEqual(['data/train-0.parquet']),
  );
});

test.each([
  ['owner/name', 'main', null],
  ['owner/name@v1.0', 'v1.0', null],
  ['owner/name@refs/convert/parquet:main/train', 'refs/convert/parquet', 'main/train'],
  ['owner/name:test', 'main', 'test'],
])('%s is a data set of the hub', (text, revision, selection) => {
  expect(hubDataReference(text)).toEqual({ text, repository: { type: 'dataset', name: 'owner/name', revision }, selection });
});

test.each([
  'data.jsonl',
  'data/train.jsonl',
  './a/b',
  '../a',
  '/a/b',
  'a/b/c',
  'C:\\a\\b',
  'C:/a',
  '~/a',
  'a/..',
  'src/core',
  'a/b@../x',
])('%s is a path', (text) => expect(hubDataReference(text)).toBeUndefined());

describe('a data set of the hub', () => {
  const parquet = readFileSync(join(fixtures, 'rows-snappy.parquet'));
  const text = 'somebody/data';
  const never = new AbortController().signal;
  let cache: string;
  let hub: LoopbackHub;
  let notes: string[];
  let ports: FetchPorts;
  beforeEach(async () => {
    cache = mkdtempSync(join(tmpdir(), 'hub-data-'));
    for (const [name, value] of [
      ['HF_HUB_CACHE', join(cache, 'hub')],
      ['LORA_WORKBENCH_CACHE', join(cache, 'own')],
      ['HF_TOKEN', ''],
      ['HF_TOKEN_PATH', join(cache, 'token')],
    ] as const)
      vi.stubEnv(name, value);
    const files = {
      'README.md': 'x',
      'data/train-00000-of-00002.parquet': parquet,
      'data/train-00001-of-00002.parquet': Buffer.concat([parquet.subarray(0, 4), parquet]),
      'data/validation.parquet': parquet,
    };
    hub = await LoopbackHub.start({ 'datasets/somebody/data': { files, card: { license: 'cc0-1.0' } } });
    vi.stubEnv('HF_ENDPOINT', hub.endpoint);
    notes = [];
    ports = { note: (note) => notes.push(note), onProgress: () => undefined, signal: never };
  });
  afterEach(() => {
    hub.stop();
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true });
  });

  const filesOf = (name: string) => {
    const place = diskFiles.open(name);
    return place.kind === 'folder' ? place.files : [];
  };

  test('is downloaded once, into the cache that all tools share, and read like a folder', async () => {
    expect(() => diskFiles.open(text)).toThrow(/somebody\/data does not exist.*download --dataset somebody\/data/);
    const progress: number[] = [];
    await fetchData([text, null, 'local.jsonl'], { ...ports, onProgress: (done, total) => progress.push(done / total) });
    expect(notes).toEqual([
      `Downloading somebody/data: 2 files, ${(2 * parquet.length + 4) / 1000} kB.`.replace(/\d+\.\d+/, (number) =>
        Number(number).toPrecision(3),
      ),
      'Its licence is cc0-1.0.',
      'Also there: somebody/data:validation.',
    ]);
    expect(progress.at(-1)).toBe(1);
    const files = filesOf(text);
    expect(files.map(({ path }) => path.slice(path.indexOf('/data/train')))).toEqual([
      '/data/train-00000-of-00002.parquet',
      '/data/train-00001-of-00002.parquet',
    ]);
    expect(files.every(({ path }) => path.startsWith(join(cache, 'hub', 'datasets--somebody--data', 'snapshots')))).toBe(true);
    expect([...rowsOf(files[0]!)]).toHaveLength(100);

    hub.forget();
    await fetchData([text], ports);
    expect(hub.seen).toEqual([]);
  });

  test('another split of it serves as held-out data', async () => {
    await fetchData([text, `${text}:validation`], ports);
    expect(filesOf(`${text}:validation`).map(({ path }) => path.split('/').at(-1))).toEqual(['validation.parquet']);
  });

  test('is not taken for whole when its download was cut short, or a file of it is gone', async () => {
    const stopped = new AbortController();
    const onProgress = (done: number, total: number) => done > total / 3 && stopped.abort();
    await expect(fetchData([text], { ...ports, onProgress, signal: stopped.signal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(() => diskFiles.open(text)).toThrow(UserError);

    await fetchData([text], ports);
    rmSync(filesOf(text)[1]!.path);
    expect(() => diskFiles.open(text)).toThrow(UserError);
    hub.forget();
    await fetchData([text], ports);
    expect(hub.servedBytes).toBe(0); // its content is still among the blobs
    expect(filesOf(text)).toHaveLength(2);
  });

  test('downloading it again says what is there', async () => {
    const first = await downloadData(referenceTo(text), ports);
    hub.forget();
    expect(await downloadData(referenceTo(text), ports)).toEqual(first);
    expect(hub.servedBytes).toBe(0);
    expect(existsSync(first[0]!.path)).toBe(true);
  });

  test('a folder of that name wins, and a mistyped path is told as one', async () => {
    const folder = join(cache, 'project');
    mkdirSync(join(folder, text), { recursive: true });
    expect(hubDataReference(text, folder)).toBeUndefined();
    await expect(fetchData(['data/trian'], ports)).rejects.toThrow(/There is no file or folder data\/trian\. .*no data\/trian/);
  });

  test('what is remembered about it is not trusted', async () => {
    await fetchData([text], ports);
    const [name] = readdirSync(join(cache, 'own', 'datasets'));
    const path = join(cache, 'own', 'datasets', name!);
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { files: { path: string }[] };
    for (const content of [
      '{}',
      '[]',
      JSON.stringify({ ...stored, commit: '../../..' }),
      JSON.stringify({ ...stored, files: [{ path: '../../../../../etc/passwd', sizeBytes: 1 }] }),
      JSON.stringify({ ...stored, files: [...stored.files, null] }),
    ]) {
      writeFileSync(path, content);
      expect(() => diskFiles.open(text)).toThrow(/somebody\/data does not exist/);
    }
  });
});
