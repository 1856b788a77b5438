import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { claimEnding } from '../../../src/extension/claimEnding.js';
import { run } from '../../webview/harness/scenes.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'told-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const ended = (updatedAt: string, runId = folder) => {
  const { state } = run('a', 'finished', 10, 10);
  return { runId, state: { ...state, updatedAt } };
};
const first = '2026-08-20T10:20:00.000Z';

test('of all windows that see a run end, one tells of it; of its next end, one again', async () => {
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimEnding(ended(first))));
  expect(claims.filter(Boolean)).toHaveLength(1);
  expect(await claimEnding(ended(first))).toBe(false);
  expect(await claimEnding(ended('2026-08-20T11:00:00.000Z'))).toBe(true);
  expect(readdirSync(folder)).toHaveLength(1);
});

test('where nothing can be written, every window tells', async () => {
  const gone = join(folder, 'gone');
  expect([await claimEnding(ended(first, gone)), await claimEnding(ended(first, gone))]).toEqual([true, true]);
});
