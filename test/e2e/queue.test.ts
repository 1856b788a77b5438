/** @file Runs that are started together are trained one after the other, whatever happens to the window. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { readState, says, TestBed, until } from './harness/workspace.js';

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start();
});
afterAll(async () => {
  await bed?.stop();
});

const steps = 30;
const isNamed = (rank: number) => new RegExp(`answers · tiny-llama · r${rank}(?!\\d)`);
const runOfRank = (rank: number) =>
  until(`a run of rank ${rank}`, () =>
    bed.runs().find((run) => readFileSync(join(run, 'run.json'), 'utf8').includes(`"r": ${rank},`)),
  );

test('while a run is paused, others are added to the queue, and one is removed from it', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.choose('model', bed.path('models/tiny-llama'));
  await panel.fill('data.path', bed.path('answers.jsonl'));
  await panel.fill('train.max_steps', steps);
  await panel.fill('lora.r', 4);
  await panel.start.click();
  const first = await runOfRank(4);
  // Pausing in the panel is tried elsewhere; this reaches the run before its first step, however fast the machine is.
  writeFileSync(join(first, 'control.json'), '{"command": "pause"}');
  await until('it is paused', () => readState(first).status === 'paused');

  for (const [index, rank] of [8, 2, 16].entries()) {
    await panel.fill('lora.r', rank);
    await says(panel.frame.locator('.start-note'), /It is trained after answers · tiny-llama · r4.* is paused/);
    await panel.enqueue.click();
    await says(panel.frame.locator('.run-name'), isNamed(rank));
    await says(panel.frame.locator('.run-steps'), `Waiting · ${['1st', '2nd', '3rd'][index]} in the queue`);
  }
  await window.command('LoRA Workbench: Open Training Monitor');
  const monitor = await window.webview('monitor');
  await says(monitor.locator('.waiting-runs'), /In the queue: 3.*r8.*r2.*r16/);
  const last = window.treeRow('Runs', 'waiting, 3rd in the queue');
  await last.waitFor();
  await window.screenshot('queue');
  await window.contextMenu(last, 'Remove from Queue');
  const removed = await runOfRank(16);
  await until('it is removed', () => readState(removed).status === 'stopped');
  await last.waitFor({ state: 'detached' });
  expect((await window.paletteOffers('LoRA Workbench: Clear Queue')).length).toBeGreaterThan(0);
});

test('the others are trained one after the other, also while the window is reloaded', async () => {
  const { window } = bed;
  const runs = [await runOfRank(4), await runOfRank(8), await runOfRank(2)];
  await window.commandOn('LoRA Workbench: Resume Run', 'paused');
  await until('the first goes on', () => readState(runs[0]!).status !== 'paused');
  await window.reload();
  const statuses = () => runs.map((run) => readState(run).status);
  await expect.poll(statuses, { timeout: 120_000 }).toEqual(['finished', 'finished', 'finished']);
  expect(runs.map((run) => readState(run).step)).toEqual([steps, steps, steps]);

  // One process trained all of them, and each began when the one before had ended.
  const times = runs.map((run) => readFileSync(join(run, 'log.txt'), 'utf8').match(/^\d{4}-\S+Z/gm)!);
  for (const index of [1, 2]) expect(times[index]![0]! >= times[index - 1]!.at(-1)!).toBe(true);
  await window.command('LoRA Workbench: Open Training Monitor');
  for (const rank of [4, 8, 2]) await window.treeRow('Runs', isNamed(rank)).filter({ hasText: 'finished' }).waitFor();
  expect(await window.paletteOffers('LoRA Workbench: Clear Queue')).not.toContain('LoRA Workbench: Clear Queue');
  expect(readState(await runOfRank(16)).status).toBe('stopped');
});
