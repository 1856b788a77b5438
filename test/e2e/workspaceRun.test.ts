/** @file Fine-Tune on This Workspace: command, report, start, run. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { WorkspaceManifest } from '../../src/protocol/workspaceManifest.js';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { readState, says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

function prepare(files: TestBed): void {
  const program = (name: string) =>
    Array.from({ length: 12 }, (_, index) => `def ${name}_${index}(${name}):\n    return ${name} * ${index}\n`).join('\n');
  for (const name of ['cart', 'order', 'price', 'stock']) files.write(`shop/${name}.py`, program(name));
  files.write('shop/copy.py', program('cart'));
  // In two pieces, so that no scanner finds a secret in this file.
  files.write('shop/pay.py', `\nurl = "postgres${'://'}shop:s3cretpass@db.example.org/shop"\n`);
  commit(files, '2026-01-01');
  files.write('web/newest.py', program('newest'));
  commit(files, '2026-02-01');
}

function commit({ workspace }: TestBed, date: string): void {
  const env = { ...process.env, GIT_COMMITTER_DATE: `${date}T12:00:00Z` };
  const git = (...command: string[]) => execFileSync('git', command, { cwd: workspace, env, stdio: 'ignore' });
  git('init');
  git('add', '--all');
  git('-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', 'commit', '--message', 'Work');
}

test('shows what would be learned from and how long it would take, and then trains on it', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune on This Workspace');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  const data = panel.frame.locator('.data-tab');

  // The report is at the front without a click.
  await data.locator('.figures').waitFor({ timeout: 60_000 });
  await says(data.locator('.banner.warning'), '1 file has a key, token or password in it');
  await says(data.locator('.left-out'), /shop\/pay\.py:2.*database-connection-string/);
  await says(data.locator('.left-out'), /shop\/copy\.py.*shop\/cart\.py/);
  await says(data.locator('.data-parts'), /python.*files/);
  await says(data, 'The newest files by git history.');

  // A step is measured meanwhile, so that the time is told.
  await says(panel.frame.locator('.estimate'), /about \d+ (s|min) \(\d+ steps\)/);
  await panel.start.click();
  const run = await until('a run directory', () => bed.runs()[0]);
  await until('the run is finished', () => existsSync(join(run, 'state.json')) && readState(run).status === 'finished', 120_000);
  await panel.runIs('finished');

  const manifest = JSON.parse(readFileSync(join(run, 'workspace.json'), 'utf8')) as WorkspaceManifest;
  expect(manifest.heldOutBy).toBe('git');
  expect(manifest.files.filter(({ part }) => part === 'heldout').map(({ path }) => path)).toEqual(['web/newest.py']);
  expect(manifest.files.map(({ path }) => path)).not.toContain('shop/pay.py');
});
