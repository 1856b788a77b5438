/** @file Every main screen in light, dark and high contrast, as pictures under build/screenshots for visual inspection. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { adapterAnswer, ghostText, signature, copyRun, trainAdapter } from './harness/adapter.js';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { readState, says, type TestBed, testBed, until } from './harness/workspace.js';

const themes = [
  { name: 'dark', title: 'Dark Modern', bodyClass: 'vscode-dark' },
  { name: 'high-contrast', title: 'Dark High Contrast', bodyClass: 'vscode-high-contrast' },
  { name: 'light', title: 'Light Modern', bodyClass: 'vscode-light' },
];

const bed = testBed({ prepare });

function prepare(files: TestBed): void {
  trainAdapter(files);
  copyRun(files, 'as-before');
  files.write('completion.py', '');
}

test('training goes on, runs are compared, and text is generated', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.command('LoRA Workbench: Try Adapter in Playground');
  const playground = await window.webview('playground');
  await playground.getByLabel('Model on the right').selectOption(bed.path('runs/contrary/adapter'));
  await playground.getByLabel('Prompt', { exact: true }).fill(signature);
  await playground.getByText('Strength and sampling').click();
  await playground.getByLabel('Temperature').fill('0');
  await playground.getByText('Strength and sampling').click();
  await playground.getByRole('button', { name: 'Run', exact: true }).click();
  await until('two answers', async () => (await playground.getByText(/tokens\/s/).count()) === 2);

  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.choose('model', bed.path('models/tiny-llama'));
  await panel.fill('data.path', bed.path('answers.jsonl'));
  await panel.fill('train.learning_rate', '5e-3');
  await panel.fill('train.max_steps', 100_000);
  await panel.preflight();
  const live = await start(panel);
  await until('some steps', () => readState(live).step > 30);

  await window.commandOnAll('LoRA Workbench: Compare Runs');
  await (await window.webview('compare')).locator('.comparison td').first().waitFor();
  await window.commandOn('LoRA Workbench: Use Adapter for Inline Completion', 'contrary');
  await window.openFile('completion.py');
});

test.each(themes)('$name', async ({ name, title, bodyClass }) => {
  const { window } = bed;
  await window.useTheme(title);
  const picture = async (screen: string) => {
    const path = await window.screenshot(`${screen}-${name}`);
    expect(statSync(path).size).toBeGreaterThan(20_000);
  };
  const view = async (tab: string, id: Parameters<typeof window.webview>[0]): Promise<Frame> => {
    await window.showTab(tab);
    const page = await window.webview(id);
    await page.locator(`body.${bodyClass}`).waitFor();
    return page;
  };

  const panel = new FineTunePanel(await view('Fine-Tune', 'fineTune'));
  await panel.showTab('Pre-flight');
  await panel.frame.locator('.preflight .figures').waitFor();
  await picture('pre-flight');
  await panel.examples();
  await picture('data');
  await panel.showTab('Plots');
  await panel.runIs('running');
  await picture('training-and-monitor');
  await (await view('Compare Runs', 'compare')).locator('.comparison td').first().waitFor();
  await picture('comparison');
  await says((await view('Playground', 'playground')).locator('.stream-text').nth(1), /\S/);
  await picture('playground');
  await completion();
  await picture('inline-completion');
});

async function start(panel: FineTunePanel): Promise<string> {
  const before = bed.runs();
  await panel.start.click();
  const run = await until('another run directory', () => bed.runs().find((path) => !before.includes(path)));
  await until('its state', () => existsSync(join(run, 'state.json')));
  return run;
}

async function completion(): Promise<void> {
  const { window } = bed;
  const editor = await window.openFile('completion.py');
  await editor.locator('.view-lines').click();
  await window.page.keyboard.press('Control+A');
  await window.page.keyboard.type(`${signature}\n`);
  await until('ghost text', async () => (await ghostText(editor)) === adapterAnswer);
}
