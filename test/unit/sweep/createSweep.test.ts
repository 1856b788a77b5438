import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { SettingValue, Sweep, SweepRequest } from '../../../src/protocol/sweep.js';
import { sweepReport as isSweepReport } from '../../../src/protocol/sweepGuards.js';
import { RunDirectory } from '../../../src/runs/runDirectory.js';
import { readLabels } from '../../../src/runs/runLabels.js';
import { createSweep } from '../../../src/sweep/createSweep.js';
import { queuedSweeps } from '../../../src/sweep/queuedSweeps.js';
import { sweepReport } from '../../../src/sweep/sweepReport.js';
import { fakeConfig } from '../runs/fakeRun.js';

let runs: string;
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'sweep-'));
});

type Parameters = Record<string, readonly SettingValue[]>;
const request = (parameters: Parameters, more: Partial<SweepRequest> = {}, ...overrides: string[]): SweepRequest => ({
  name: 'Ranks',
  config: fakeConfig(...overrides),
  parameters,
  halving: null,
  ...more,
});
const readSweep = (folder: string) => JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8')) as Sweep;

test('all combinations become runs that wait, each with its values and nothing else changed', () => {
  const config = fakeConfig();
  const parameters = { 'lora.r': [2, 16], 'train.learning_rate': [1e-4, 3e-4, 0.001] };
  const folder = createSweep(runs, request(parameters));
  expect(folder).toBe(join(runs, 'Ranks'));
  const sweep = readSweep(folder);
  expect(sweep).toMatchObject({ name: 'Ranks', parameters, halving: null, config });
  expect(sweep.runs.map((run) => run.folder)).toEqual([
    'r=2,learning_rate=0.0001',
    'r=2,learning_rate=0.0003',
    'r=2,learning_rate=0.001',
    'r=16,learning_rate=0.0001',
    'r=16,learning_rate=0.0003',
    'r=16,learning_rate=0.001',
  ]);
  for (const { folder: name, settings } of sweep.runs) {
    const run = RunDirectory.open(join(folder, name));
    const [r, learning_rate] = [settings['lora.r'] as number, settings['train.learning_rate'] as number];
    expect(run.readConfig()).toEqual({
      ...config,
      lora: { ...config.lora, r },
      train: { ...config.train, learning_rate },
    });
    expect(run.readState()).toMatchObject({ status: 'queued', step: 0, queuedAt: sweep.createdAt });
    expect(readLabels(run.path).name).toBe(`r=${r}, learning_rate=${learning_rate}`);
  }
  expect(readdirSync(runs)).toEqual(['Ranks']); // nothing unfinished
});

test('names: of what varies if there is none, numbered if taken, and only what every file system takes', () => {
  const parameters = { 'lora.r': [2, 4] };
  const unnamed = createSweep(runs, request({ ...parameters, 'train.lr_scheduler': ['linear', 'cosine'] }, { name: null }));
  expect(unnamed).toMatch(/sweep-\d{4}-\d\d-\d\d-\d{6}$/);
  expect(readSweep(unnamed).name).toBe('r × lr_scheduler');
  createSweep(runs, request(parameters));
  expect(createSweep(runs, request(parameters))).toBe(join(runs, 'Ranks-2'));
  expect(createSweep(runs, request(parameters, { name: '../a:b?' }))).toBe(join(runs, 'a-b'));
  expect(createSweep(runs, request(parameters, { name: '..' }))).toBe(join(runs, 'sweep'));
  const modules = { 'lora.target_modules': [['q_proj'], ['q_proj', 'up_proj']], 'lora.layers': [null, [0]] };
  expect(readSweep(createSweep(runs, request(modules))).runs.map((run) => run.folder)).toEqual([
    'target_modules=q_proj,layers=null',
    'target_modules=q_proj,layers=0',
    'target_modules=q_proj+up_proj,layers=null',
    'target_modules=q_proj+up_proj,layers=0',
  ]);
});

describe('what cannot be tried or compared is refused in one sentence, and nothing is made', () => {
  const ranks = { 'lora.r': [2, 4, 8] };
  const many = Array.from({ length: 15 }, (_, index) => index + 1);
  test.each<[string, Parameters, RegExp, Partial<SweepRequest>?, ...string[]]>([
    ['nothing to vary', {}, /2 to 200 runs, and these values make 1\.$/],
    ['one value', { 'lora.r': [2] }, /make 1\.$/],
    ['too many runs', { 'lora.r': many, 'lora.alpha': many }, /make 225\.$/],
    ['a setting without values', { 'lora.r': [] }, /^lora\.r has no values to try\.$/],
    ['a value twice', { 'lora.r': [2, 4, 2] }, /^lora\.r has a value that is listed twice\.$/],
    ['an unknown setting', { 'lora.rnak': [2, 4] }, /^lora\.rnak is not a known setting; did you mean lora\.r \(rank\)\?$/],
    ['a section', { lora: [2, 4] }, /^lora is a section/],
    ['a prototype', { '__proto__.polluted': [1, 2] }, /is not a known setting/],
    ['a wrong value', { 'lora.r': [2, 0] }, /^lora\.r must be at least 1, not 0$/],
    ['a value of another type', { 'lora.r': [2, 'four'] }, /^lora\.r must be a whole number, not "four"$/],
    ['the model', { model: ['/a', '/b'] }, /^model cannot vary: the runs of a sweep share model/],
    ['a path', { 'lora.init_from': ['/a', '/b'] }, /share model, data and initial adapter\.$/],
    ['data that would be held out differently', { 'data.eval_fraction': [0.1, 0.2] }, /held-out data would not be the same/],
    ['examples that would be cut differently', { 'data.max_seq_length': [64, 128] }, /held-out data would not be the same/],
    ['seeds that decide what is held out', { 'train.seed': [1, 2] }, /only where data\.eval_path is set\.$/],
    ['nothing held out', ranks, /nothing is held out: set data\.eval_fraction/, {}, 'data.eval_fraction=0'],
    ['ranks of an adapter that is given', ranks, /lora\.init_from is set/, {}, 'lora.init_from=/adapter'],
    ['halving of too few runs', ranks, /at least 4 runs, and these values make 3\.$/, { halving: { eta: 4 } }],
    ['halving by nothing', ranks, /its factor cannot be 1\.$/, { halving: { eta: 1 } }],
    ['halving over steps', { 'train.max_steps': [5, 10] }, /and train\.max_steps changes their number/, { halving: { eta: 2 } }],
    [
      'halving over batches that decide the steps',
      { 'train.batch_size': [1, 2] },
      /and train\.batch_size changes their number: set train\.max_steps/,
      { halving: { eta: 2 } },
      'train.max_steps=null',
    ],
    [
      'halving over seeds',
      { 'train.seed': [1, 2] },
      /cannot choose between values of train\.seed/,
      { halving: { eta: 2 } },
      'data.eval_path=/held-out.jsonl',
    ],
  ])('%s', (_, parameters, sentence, more = {}, ...overrides) => {
    expect(() => createSweep(runs, request(parameters, more, ...overrides))).toThrow(sentence);
    expect(readdirSync(runs)).toEqual([]);
  });

  test('what does not touch the held-out data may vary', () => {
    const parameters = { 'data.shuffle': [true, false], 'data.packing': [true, false], 'train.seed': [1, 2] };
    const folder = createSweep(runs, request(parameters, {}, 'data.eval_path=/held-out.jsonl'));
    expect(readSweep(folder).runs).toHaveLength(8);
  });
});

describe('a folder that is no sound sweep', () => {
  let folder: string;
  beforeEach(() => {
    folder = createSweep(runs, request({ 'lora.r': [2, 4] }, { halving: { eta: 2 } }));
  });
  const change = (edit: (sweep: Record<string, unknown>) => void) => {
    const sweep = JSON.parse(readFileSync(join(folder, 'sweep.json'), 'utf8')) as Record<string, unknown>;
    edit(sweep);
    writeFileSync(join(folder, 'sweep.json'), JSON.stringify(sweep));
  };
  const runAt = (path: string) => change((sweep) => (sweep['runs'] = [{ folder: path, settings: {} }]));

  test.each<[string, () => void, RegExp]>([
    ['no sweep.json', () => rmSync(join(folder, 'sweep.json')), /is not the folder of a sweep: it has no sweep\.json\.$/],
    ['half a file', () => writeFileSync(join(folder, 'sweep.json'), '{"name": "Ra'), /sweep\.json .*JSON/],
    ['something else', () => writeFileSync(join(folder, 'sweep.json'), '[]'), /is damaged: it does not hold a sweep\.$/],
    ['a wrong config', () => change((sweep) => (sweep['config'] = { model: 7 })), /is damaged/],
    ['wrong parameters', () => change((sweep) => (sweep['parameters'] = { 'lora.r': 4 })), /is damaged/],
    ['a run above', () => runAt('..'), /names the run \.\., which is outside of its folder\.$/],
    ['a run elsewhere', () => runAt('../other'), /outside of its folder/],
    ['a run at the root', () => runAt('/etc'), /outside of its folder/],
    ['a run of Windows elsewhere', () => runAt('C:\\other'), /outside of its folder/],
    [
      'the same run twice',
      () => change((sweep) => (sweep['runs'] = Array(2).fill({ folder: 'r=2', settings: {} }))),
      /is damaged/,
    ],
    [
      'no run left',
      () => ['r=2', 'r=4'].forEach((run) => rmSync(join(folder, run), { recursive: true })),
      /has none of the runs of its sweep any more\.$/,
    ],
    ['damaged rungs', () => writeFileSync(join(folder, 'rungs.json'), '[{"step": 1}]'), /rungs\.json is damaged: remove it/],
    ['a damaged loss', () => writeFileSync(join(folder, 'r=2', 'held-out.json'), '{}'), /held-out\.json is damaged: remove it/],
  ])('%s: told in one sentence, and its runs are still trained', (_, damage, sentence) => {
    damage();
    expect(() => sweepReport(folder)).toThrow(sentence);
    const limit = () => queuedSweeps(new AbortController().signal).stepLimitOf(join(folder, 'r=2'), 40);
    if (existsSync(join(folder, 'r=2')) && !existsSync(join(folder, 'rungs.json'))) expect([null, 20]).toContain(limit());
  });

  test('a run that was removed is missing from the report, and a moved folder is read where it is', () => {
    rmSync(join(folder, 'r=2'), { recursive: true });
    renameSync(folder, join(runs, 'elsewhere'));
    const report = sweepReport(join(runs, 'elsewhere'));
    expect(report.rows.map(({ runId, name }) => [runId, name])).toEqual([[join(runs, 'elsewhere', 'r=4'), 'r=4']]);
    expect(isSweepReport(JSON.parse(JSON.stringify(report)))).toBe(true);
  });
});
