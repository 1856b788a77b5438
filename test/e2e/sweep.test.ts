/**
 * @file Two ranks are tried: from the Fine-Tune panel through the form to a recommendation, and from there to a run. Three are tried
 * on code with halving, and what is left completes code.
 */
import { readFileSync } from 'node:fs';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

function prepare(files: TestBed): void {
  for (const name of ['cart', 'order', 'price', 'stock', 'width']) {
    const functions = Array.from({ length: 8 }, (_, index) => `def ${name}_${index}(${name}):\n    return ${name} * ${index}\n`);
    files.write(`shop/${name}.py`, functions.join('\n'));
  }
}

const name = 'rank · answers.jsonl';

test('two ranks are swept from the panel, the better one is recommended, and its curves are shown', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.choose('model', bed.path('models/tiny-llama'));
  await panel.fill('data.path', bed.path('answers.jsonl'));
  await panel.fill('train.max_steps', 20);
  await panel.fill('train.learning_rate', '5e-3');
  await panel.frame.getByRole('button', { name: 'Sweep…' }).click();

  const form = await window.webview('sweep');
  const ranks = form.getByRole('textbox', { name: 'Values to try: Rank' });
  expect(await ranks.inputValue()).toBe('2, 4, 8, 16, 32');
  await ranks.fill('1, 0');
  await says(form.locator('.varied-note'), '0: Must be at least 1.');
  await ranks.fill('1, 8');
  await says(form.locator('.plan-size'), /^2 runs.*40 steps in all/);
  await window.screenshot('sweep-form');
  await form.getByRole('button', { name: 'Start Sweep' }).click();

  const report = await sweepReport();
  await says(report.locator('h1'), /^(Nothing to recommend yet|The finished runs|Take rank)/);
  await until('both runs are done', () => saysDone(report), 90_000);
  await says(report.locator('h1'), /^Take rank [18]: /);
  expect(await report.locator('.sweep-table tbody tr').count()).toBe(2);
  // Of the base alone, and of both runs, whose losses and differences are measured.
  await says(report.locator('.sweep-table tfoot'), /^Base alone\d\.\d{4}$/);
  await says(report.locator('.sweep-table tbody'), /best/);
  await says(report.locator('.sweep-table tbody'), /\+0\.\d{4} ± 0\.\d{4}/);
  const plot = report.locator('.sweep-plot-area canvas');
  expect(await plot.getAttribute('aria-label')).toMatch(/rank 1: \d.*rank 8: \d/);
  await window.screenshot('sweep-report');

  const sweep = window.treeRow('Runs', name);
  await window.command('LoRA Workbench: Open Training Monitor');
  await says(sweep, '2 of 2 done');
  await window.treeRow('Adapters', `${name} · r=8`).first().waitFor();
  await window.page.getByText(`The sweep ${name} has ended: 2 of 2 runs were trained to their end.`).first().waitFor();
  await window.screenshot('sweep-in-tree');
  await report.getByRole('button', { name: 'Open in Panel: rank 8' }).click();
  const shown = new FineTunePanel(await window.webview('fineTune'));
  await says(shown.frame.locator('.run-name'), 'r=8');
});

test('after the window was reloaded, the report is there again, and the menu of a run plans the next sweep', async () => {
  const { window } = bed;
  await window.reload();
  await window.showTab(`Sweep: ${name}`);
  await says((await sweepReport()).locator('h1'), /^Take rank [18]: /);
  await window.commandOn('LoRA Workbench: Sweep from This Run…', 'r=8');
  const form = await shown('.sweep-plan');
  await says(form.locator('.sweep-plan > p'), /All other settings are those of .*r=8.run\.json: tiny-llama, answers\.jsonl\./);
  expect(await form.getByRole('button', { name: 'Edit the Other Settings' }).isVisible()).toBe(false);
  const sweep = JSON.parse(readFileSync(bed.path('runs', name, 'sweep.json'), 'utf8')) as { parameters: unknown };
  expect(sweep.parameters).toEqual({ 'lora.r': [1, 8] });
});

test('of three ranks on code, halving leaves two early, and the one that goes on completes code', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.fill('data.path', bed.path('shop'));
  await panel.fill('train.max_steps', 18);
  await panel.frame.getByRole('button', { name: 'Sweep…' }).click();
  const form = await shown('.sweep-plan:not(:has-text("r=8"))');
  await form.getByRole('textbox', { name: 'Values to try: Rank' }).fill('1, 2, 4');
  await form.getByRole('checkbox', { name: 'Stop hopeless runs early' }).check();
  await form.getByRole('textbox', { name: 'Name' }).fill('halved');
  await form.getByRole('button', { name: 'Start Sweep' }).click();

  await window.showTab('Sweep: halved');
  const report = await shown('.sweep-report');
  await says(report.locator('.sweep-progress-text'), /1 of 3 runs done.*2 left early/);
  await report.getByRole('button', { name: 'Evaluate Inline Completion' }).click();
  await says(report.locator('.sweep-table thead'), /Exact match.*Edit similarity.*Bits per byte/);
  await report.getByRole('combobox', { name: 'What is plotted' }).selectOption('Edit similarity');
  const plot = report.locator('.sweep-plot-area canvas');
  await expect.poll(() => plot.getAttribute('aria-label')).toMatch(/Edit similarity by Rank\. rank \d: \d/);
  await window.screenshot('sweep-evaluated');
  await report.getByRole('button', { name: 'Show Completions' }).click();
  const cases = await window.webview('completionReport');
  await cases.locator('.case').first().waitFor();
});

function sweepReport(): Promise<Frame> {
  return shown('.sweep-report');
}

/** The page of a sweep that has such an element. */
function shown(selector: string): Promise<Frame> {
  return until(`a page with ${selector}`, async () => {
    for (const frame of bed.window.page.frames()) {
      if (
        (await frame
          .locator(selector)
          .count()
          .catch(() => 0)) > 0
      )
        return frame;
    }
    return undefined;
  });
}

async function saysDone(report: Frame): Promise<boolean> {
  return (await report.locator('.sweep-progress-text').textContent())!.includes('2 of 2 runs done');
}
