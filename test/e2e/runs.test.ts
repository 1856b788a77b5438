/** @file What can be done with runs that are over, and what Doctor reports about the machine. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyRun, trainAdapter } from './harness/adapter.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

/** A run, and another that claims to have had another rank. */
function prepare(files: TestBed): void {
  trainAdapter(files);
  copyRun(files, 'second', ['wide']);
  const config = files.path('runs/second/run.json');
  writeFileSync(config, readFileSync(config, 'utf8').replace('"r": 8', '"r": 32'));
}

test('runs are compared: what was set differently, side by side', async () => {
  const { window } = bed;
  await window.commandOnAll('LoRA Workbench: Compare Runs');
  const comparison = await window.webview('compare');
  const ranks = comparison.locator('.comparison tbody td:last-child');
  await says(comparison.locator('.comparison thead th:last-child'), /^Rank$/);
  expect((await ranks.allTextContents()).sort()).toEqual(['32', '8']);
});

test('the log of a run opens as text', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Show Run Log', 'contrary · tiny-llama · r8');
  await says(window.page.locator('.monaco-editor[data-uri$="runs/contrary/log.txt"] .view-lines'), /status: running/);
});

test('the folder of a run is shown in the explorer', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Reveal Run Folder', 'second');
  await window.page.locator('.explorer-folders-view .monaco-list-row.selected', { hasText: 'second' }).waitFor();
});

test('deleting a run asks first, and then nothing of it is left', async () => {
  const { window } = bed;
  const dialog = window.page.locator('.monaco-dialog-box', { hasText: 'Delete second with its checkpoints and its adapter?' });
  const folder = bed.path('runs/second');

  await window.commandOn('LoRA Workbench: Delete Run…', 'second');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await dialog.waitFor({ state: 'hidden' });
  expect(existsSync(join(folder, 'run.json'))).toBe(true);

  await window.commandOn('LoRA Workbench: Delete Run…', 'second');
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await until('the folder is gone', () => !existsSync(folder));
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.treeRow('Runs', 'contrary · tiny-llama · r8').waitFor();
  await window.treeRow('Runs', 'second').waitFor({ state: 'detached' });
  expect(existsSync(bed.path('runs/contrary/adapter'))).toBe(true);
});

test('Doctor reports as a document', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Run Doctor');
  await says(window.page.locator('.monaco-editor[data-uri*="Doctor"] .view-lines'), /LoRA Workbench.*Node\.js.*Processor/s);
});
