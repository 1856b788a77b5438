import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { cardMarker } from '../../../src/runs/card/cardParts.js';
import { hubName, licenseOf, publishedName } from '../../../src/runs/card/modelOrigin.js';
import { writeModelCards } from '../../../src/runs/card/writeModelCard.js';
import { readMetrics } from '../../../src/runs/metricsFile.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { writeLabels } from '../../../src/runs/runLabels.js';
import { trainRun } from '../../../src/runs/trainRun.js';
import { ggufFile, text as ggufText } from '../formats/ggufFile.js';
import { fakeConfig, prepareFake } from './fakeRun.js';

const judge = process.env.LORA_WORKBENCH_JUDGE;
let run: RunDirectory;
const text = (...path: string[]) => readFileSync(join(run.path, ...path), 'utf8');

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'card-'));
  const base = join(folder, 'models--org--Tiny-Base', 'snapshots', 'abc');
  mkdirSync(base, { recursive: true });
  writeFileSync(join(base, 'README.md'), '---\nlanguage: en\nlicense: Apache-2.0\n---\n# Tiny\nlicense: not-this-one\n');
  const config = fakeConfig('lora.use_rslora=true', 'lora.r=12', 'data.path=/data/my*notes.jsonl', 'data.format=alpaca');
  run = RunDirectory.create(join(folder, 'run'), { ...config, model: base });
  await trainRun(run, { prepare: (prepared) => prepareFake(prepared) });
});

describe('when a run has ended', () => {
  test('its adapters have cards with what the hub reads', () => {
    expect(text('adapter', 'README.md').split('\n---\n')[0]).toBe(
      [
        '---',
        'base_model: org/Tiny-Base',
        'library_name: peft',
        'pipeline_tag: text-generation',
        'license: apache-2.0',
        'tags:',
        '  - lora',
        '  - lora-workbench',
      ].join('\n'),
    );
  });

  test.skipIf(!judge)("the hub's own client reads it so, too", () => {
    const { status, stdout, stderr } = spawnSync(judge!, ['test/judge/check_card.py', join(run.adapterPath, 'README.md')], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      base_model: 'org/Tiny-Base',
      library_name: 'peft',
      pipeline_tag: 'text-generation',
      license: 'apache-2.0',
      tags: ['lora', 'lora-workbench'],
    });
  });

  test('each tells the held-out loss of its own parameters', () => {
    const losses = readMetrics(run.metricsPath).flatMap((metric) => ('eval_loss' in metric ? [metric] : []));
    const { bestStep } = run.readState();
    const row = (name: string, { eval_loss: loss }: { eval_loss: number }) =>
      `| ${name} | ${loss.toFixed(4)} | ${Math.exp(loss).toFixed(2)} |`;
    const best = losses.find(({ step }) => step === bestStep)!;
    for (const [folder, own] of [
      ['adapter', losses.at(-1)!],
      ['adapter-best', best],
    ] as const) {
      expect(text(folder, 'README.md')).toContain(row('Base model', losses[0]!));
      expect(text(folder, 'README.md')).toContain(row(`Adapter, after step ${own.step}`, own));
    }
  });

  test('and nothing of this machine but names', () => {
    const card = text('adapter', 'README.md');
    expect(card).not.toContain(tmpdir());
    expect(card).not.toContain('/data/');
    expect(card).toContain('my\\*notes.jsonl');
    expect(card).toContain('| Rank | 12 |');
    expect(card).toContain('rank-stabilised: the scale is 4.619 |'); // alpha 16 / √12
    expect(card).toContain('--max-lora-rank 16');
    expect(card).toContain('### Instruction:');
  });

  test('the curve has a point at every step and every evaluation', () => {
    const picture = text('adapter', 'loss.svg');
    const [training, heldOut] = [...picture.matchAll(/<polyline points="([^"]+)"/g)].map((match) => match[1]!.split(' '));
    expect(training).toHaveLength(40);
    expect(heldOut).toHaveLength(8);
    expect([...picture.matchAll(/<circle/g)]).toHaveLength(8);
    const [x, y] = [training!.map((point) => Number(point.split(',')[0])), training!.map((point) => Number(point.split(',')[1]))];
    expect(x).toEqual([...x].sort((a, b) => a - b));
    expect(y.every((value) => value >= 40 && value <= 280)).toBe(true);
    expect(y.at(-1)!).toBeGreaterThan(y[0]!); // the loss falls, so the line goes down
    expect(picture).not.toMatch(/NaN|Infinity/);
  });
});

test('written again, a card is the same; with a new name and note, it has them', () => {
  const before = text('adapter', 'README.md');
  writeModelCards(run);
  expect(text('adapter', 'README.md')).toBe(before);
  writeLabels(run.path, { name: 'Colors [v2]', tags: [], note: 'Knows colors.' });
  writeModelCards(run);
  expect(text('adapter', 'README.md')).toContain('# Colors \\[v2\\]\n');
  expect(text('adapter', 'README.md')).toContain('\n\nKnows colors.\n\n');
});

test('a card that the user has taken over, or written, is never replaced', () => {
  const own = text('adapter', 'README.md').replace(cardMarker, '');
  writeFileSync(join(run.adapterPath, 'README.md'), own);
  rmSync(join(run.adapterPath, 'loss.svg'));
  writeModelCards(run);
  expect(text('adapter', 'README.md')).toBe(own);
  expect(existsSync(join(run.adapterPath, 'loss.svg'))).toBe(false);
});

test.each([
  ['org/name', 'org/name'],
  ['/cache/hub/models--org--My-Model.v2/snapshots/0a/', 'org/My-Model.v2'],
  ['C:\\hub\\models--a--b\\snapshots\\0a', 'a/b'],
  ['/models/llama', null],
  ['name', null],
  ['./org/name', null],
  ['test/unit', null], // exists here
])('the name on the hub of %s is %s', (path, name) => {
  expect(hubName(path)).toBe(name);
});

test('an adapter names a model of the hub’s cache as the hub does, if that is how it is found', () => {
  const cache = mkdtempSync(join(tmpdir(), 'hub-cache-'));
  vi.stubEnv('HF_HUB_CACHE', cache);
  const snapshot = (commit: string) => join(cache, 'models--org--tiny/snapshots', commit.repeat(40));
  ['a', 'b'].forEach((commit) => mkdirSync(snapshot(commit), { recursive: true }));
  mkdirSync(join(cache, 'models--org--tiny/refs'));
  writeFileSync(join(cache, 'models--org--tiny/refs/main'), 'b'.repeat(40));
  expect(publishedName(snapshot('b'))).toBe('org/tiny');
  expect(publishedName(snapshot('a'))).toBe(snapshot('a'));
  expect(publishedName('./models/tiny')).toBe('./models/tiny');
  vi.unstubAllEnvs();
});

test('the license of a GGUF file, and of nothing', () => {
  const folder = mkdtempSync(join(tmpdir(), 'license-'));
  writeFileSync(join(folder, 'm.gguf'), ggufFile({ metadata: [['general.license', 8, ggufText('mit')]] }));
  expect(licenseOf(join(folder, 'm.gguf'))).toBe('mit');
  expect(licenseOf(join(folder, 'absent'))).toBe(null);
  writeFileSync(join(folder, 'README.md'), '---\nlicense: "x: y"\n---\n');
  expect(licenseOf(folder)).toBe(null);
});
