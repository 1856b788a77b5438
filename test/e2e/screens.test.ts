/** @file Every main screen in light, dark and high contrast, as pictures under build/screenshots to be looked at. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { readState, TestBed, until } from './harness/workspace.js';

const themes = [
  { name: 'dark', title: 'Dark Modern', bodyClass: 'vscode-dark' },
  { name: 'high-contrast', title: 'Dark High Contrast', bodyClass: 'vscode-high-contrast' },
  { name: 'light', title: 'Light Modern', bodyClass: 'vscode-light' },
];

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start();
});
afterAll(async () => {
  await bed?.stop();
});

test('pre-flight, training, monitor, comparison and playground', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  await window.command('LoRA Workbench: Open Training Monitor');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.choose('model', bed.path('models/tiny-llama'));
  await panel.fill('data.path', bed.path('answers.jsonl'));
  await panel.fill('train.learning_rate', '5e-3');
  await panel.preflight();
  await inEveryTheme('pre-flight', panel.frame);

  for (const rank of [2, 16]) {
    await start(panel, rank, 40);
    await panel.runIs('finished');
  }
  const live = await start(panel, 8, 2000);
  await until('some steps', () => readState(live).step > 30);
  await inEveryTheme('training-and-monitor', panel.frame);
  await window.command('LoRA Workbench: Stop Run');
  await panel.runIs('stopped');

  await window.command('LoRA Workbench: Compare Runs');
  await window.page.locator('.quick-input-widget').getByRole('checkbox', { name: /all/i }).first().check();
  await window.page.keyboard.press('Enter');
  const comparison = await window.webview('compare');
  await comparison.locator('.comparison td').first().waitFor();
  await inEveryTheme('comparison', comparison);

  await window.command('LoRA Workbench: Open Playground');
  const playground = await window.webview('playground');
  await playground.getByLabel('Adapter', { exact: true }).selectOption({ index: 1 });
  await playground.getByLabel('Prompt').fill('What is 3 plus 4?');
  await playground.getByRole('button', { name: 'Run' }).click();
  await until('two answers', async () => (await playground.getByText(/tokens\/s/).count()) === 2);
  await inEveryTheme('playground', playground);
});

async function start(panel: FineTunePanel, rank: number, steps: number): Promise<string> {
  const before = bed.runs().length;
  await panel.fill('lora.r', rank);
  await panel.fill('train.max_steps', steps);
  await panel.start.click();
  const run = await until('another run directory', () => bed.runs()[before]);
  await until('its state', () => existsSync(join(run, 'state.json')));
  await panel.runIs('running');
  return run;
}

async function inEveryTheme(screen: string, view: Frame): Promise<void> {
  for (const { name, title, bodyClass } of themes) {
    await bed.window.useTheme(title);
    await view.locator(`body.${bodyClass}`).waitFor();
    const picture = await bed.window.screenshot(`${screen}-${name}`);
    expect(statSync(picture).size).toBeGreaterThan(20_000);
  }
}
