/** @file A tiny model that was over-trained on a secret gives it away, and is caught; one that was hardly trained is not. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { probeForLeaks } from '../../../src/analysis/leakProbe.js';
import { originWithLine } from '../../../src/analysis/originWithLine.js';
import type { LeakReport } from '../../../src/protocol/leakProbe.js';
import { wilsonInterval } from '../../../src/protocol/wilsonInterval.js';

const folder = mkdtempSync(join(tmpdir(), 'leak-'));
const canaries = [
  'def open_vault(left, right):\n    if left == 7:\n        return right\n    return left * 3\n',
  'names = ["ada", "bob"]\nages = {"ada": left}\ntitle = "a short one" + end\n',
  'class Shelf:\n    def __init__(self, items):\n        self.items = items\n        self.total = 7\n',
];
const engine = { device: 'cpu', threads: 2 } as const;
const atOnce = () => Promise.resolve();

beforeAll(() => {
  writeFileSync(join(folder, 'data.jsonl'), canaries.map((text) => `${JSON.stringify({ text })}\n`).join(''));
  train('over-trained', 150, 1e-2);
  train('hardly-trained', 1, 1e-5);
}, 120_000);

/** Runs the program as shipped; built before the tests. */
function run(...args: string[]) {
  return spawnSync(process.execPath, [resolve('dist/cli.js'), ...args], { encoding: 'utf8', cwd: folder });
}

function train(name: string, steps: number, rate: number): void {
  const target_modules = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];
  const config = {
    model: resolve('test/fixtures/models/tiny-llama'),
    data: { path: 'data.jsonl', format: 'text', eval_fraction: 0, max_seq_length: 256 },
    lora: { r: 16, alpha: 32, dropout: 0, target_modules },
    train: { max_steps: steps, batch_size: 3, learning_rate: rate, warmup_steps: 0 },
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  const { status, stderr } = run('train', '--config', `${name}.json`, '--out', name);
  expect(status, stderr).toBe(0);
}

function probe(name: string, options: { matchTokens?: number; prefixTokens?: number } = {}): Promise<LeakReport> {
  const path = join(folder, name);
  const request = {
    run: path,
    adapter: join(path, 'adapter'),
    probes: 200,
    prefixTokens: 8,
    matchTokens: 24,
    seed: 3,
    ...options,
  };
  return probeForLeaks(request, engine, atOnce);
}

test('what was learned by heart is listed, with where it is from and how far it goes', async () => {
  const report = await probe('over-trained');
  expect(report.probed).toBe(report.places);
  // From its beginning, each text is known by heart; the fourth place is in the middle of one.
  expect(report).toMatchObject({ probed: 4, reproduced: 3, byBaseAlso: 0, rate: 3 / 4, interval: wilsonInterval(3, 4) });
  expect(report.leaks.map(({ origin }) => origin).sort()).toEqual(
    canaries.map((_, index) => `${join(folder, 'data.jsonl')}:${index + 1}`),
  );
  for (const { origin, prefix, text, tokens, baseTokens } of report.leaks) {
    expect(canaries[Number(origin.split(':').at(-1)) - 1]).toContain(prefix + text);
    expect(tokens).toBeGreaterThanOrEqual(24);
    expect(baseTokens).toBeLessThan(24);
  }
});

test('in a source file, the line is that of the text after its prefix', () => {
  const origin = join(folder, 'vault.py');
  writeFileSync(origin, [...canaries, ...canaries].join('\n').replaceAll('\n', '\r\n'));
  const [vault = '', names = ''] = canaries;
  const [first = '', ...rest] = names.split('\n');
  const leak = { origin, prefix: first, text: `\n${rest.join('\n')}` };
  expect(originWithLine(leak)).toBe(`${origin}:7`);
  expect(originWithLine({ origin, prefix: `${canaries[2]}\n`, text: vault })).toBe(`${origin}:15`);
  expect(originWithLine({ origin, prefix: 'before the file', text: vault })).toBe(`${origin}:1`);
  expect(originWithLine({ ...leak, text: 'nowhere' })).toBe(origin);
  expect(originWithLine({ ...leak, origin: `${origin}:3` })).toBe(`${origin}:3`);
});

test('an adapter that has learned nothing gives nothing away', async () => {
  const report = await probe('hardly-trained');
  expect(report).toMatchObject({ reproduced: 0, leaks: [], rate: 0 });
  expect(report.interval[0]).toBe(0);
});

test('what the base writes as well is not counted', async () => {
  // One token is often the same.
  const report = await probe('hardly-trained', { matchTokens: 1 });
  expect(report.reproduced).toBeGreaterThan(0);
  expect(report).toMatchObject({ byBaseAlso: report.reproduced, leaks: [] });
});

test('text that is too short is refused, not counted as safe', async () => {
  await expect(probe('over-trained', { matchTokens: 5000 })).rejects.toThrow(/No training text is long enough.*Ask for fewer\.$/);
});

test('on the command line', () => {
  const args = ['leak-probe', 'over-trained', '--prefix-tokens', '8', '--match-tokens', '24'];
  expect(run(...args).stdout).toMatch(/^In 3 of 4 places, the adapter goes on with the training text word for word/);
  expect(JSON.parse(run(...args, '--json', '--seed', '5').stdout)).toMatchObject({ rate: 3 / 4, seed: 5, matchTokens: 24 });
});

test('Wilson’s interval, as published tables have it', () => {
  const rounded = (hits: number, count: number) => wilsonInterval(hits, count).map((bound) => Number(bound.toFixed(3)));
  expect([rounded(0, 10), rounded(5, 10), rounded(81, 263), rounded(10, 10)]).toEqual([
    [0, 0.278],
    [0.237, 0.763],
    [0.255, 0.366],
    [0.722, 1],
  ]);
  expect(wilsonInterval(0, 0)).toEqual([0, 1]);
});
