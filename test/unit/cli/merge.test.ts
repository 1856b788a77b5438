import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';

const folder = mkdtempSync(join(tmpdir(), 'merge-cli-'));
const [first, second] = ['first', 'second'].map((name) => resolve('test/golden/merging', name)) as [string, string];

/** Runs the program as shipped; built before the tests. */
function merge(...args: string[]) {
  return spawnSync(process.execPath, [resolve('dist/cli.js'), 'merge', ...args], { encoding: 'utf8', cwd: folder });
}

test('adapters are merged with the weights behind their colons, 1 by default, and the error is told', () => {
  const { stdout, status } = merge(first, `${second}:-.5`, '--rank', '3', '--out', 'out', '--json');
  expect(status).toBe(0);
  const result = JSON.parse(stdout) as { adapters: unknown; loss: { energyKept: number; byLinear: unknown[] } };
  expect(result.adapters).toEqual([
    { path: first, weight: 1 },
    { path: second, weight: -0.5 },
  ]);
  expect(result.loss.energyKept).toBeLessThan(1);
  expect(result.loss.byLinear).toHaveLength(5);
  expect(readAdapterFolder(join(folder, 'out')).lora.r).toBe(3);
});

test('for people, the rank that loses nothing is named', () => {
  const { stdout } = merge(first, second, '--rank', '3', '--out', 'again');
  expect(stdout).toMatch(/Rank +3; 7 would lose nothing/);
  const card = readFileSync(join(folder, 'again/README.md'), 'utf8');
  expect(card).toContain('# again\n');
  for (const text of [
    '| first | 1 |',
    '| second | 1 |',
    'Its rank is 3, where 7 would lose nothing',
    'PeftModel.from_pretrained',
  ])
    expect(card).toContain(text);
  expect(stdout).toMatch(/q_proj +\d+\.\d\d %, \d+\.\d\d % of the energy kept/);
});

test.each([
  [[`${first}:0`, second], /the weight must not be 0/],
  [[first, join(folder, 'absent')], /There is no adapter at .*absent/],
])('%j is refused in one sentence', (adapters, message) => {
  const { stderr, status } = merge(...adapters, '--out', 'refused');
  expect(status).toBe(1);
  expect(stderr).toMatch(message);
});
