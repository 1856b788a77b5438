/** @file What an adapter has learned, looked at in VS Code. */
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  adapterAnswer,
  baseAnswer,
  ghostText,
  signature,
  trainAdapter,
  trainOnOneText,
  trainSiblings,
} from './harness/adapter.js';
import { says, TestBed, until } from './harness/workspace.js';

/** Files in which base and adapter take turns. */
const mostTurns = 8;

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start({ prepare });
});
afterAll(async () => {
  await bed?.stop();
});

function prepare(files: TestBed): void {
  trainSiblings(files, ['elder', 'younger']);
  trainOnOneText(files, 'by-heart');
  trainAdapter(files);
  files.write('counted.py', '');
  for (let turn = 1; turn <= mostTurns; turn++) files.write(`turn-${turn}.py`, '');
}

/** Chooses by typing, because the best adapter of a run has an entry of its own. */
async function chosen(name: string): Promise<void> {
  const { page } = bed.window;
  const rows = page.locator('.quick-input-list .monaco-list-row');
  await rows.filter({ hasText: name }).first().waitFor();
  await page.locator('.quick-input-widget input[aria-controls]').first().fill(name);
  await until(`only ${name} is offered`, async () => (await rows.allTextContents()).every((text) => text.includes(name)));
  await page.keyboard.press('Enter');
}

const press = (frame: Frame, name: string) => frame.getByRole('button', { name }).click();

test('the spectrum of an adapter is drawn, a weight is looked into, and lower ranks are measured on what was held out', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Show Adapter Spectrum', 'elder');
  const frame = await window.webview('spectrum');
  await says(frame.locator('.verdict'), /of rank 8 is in use: rank \d would keep (only )?\d+% of the change\./);
  expect(await frame.getByRole('gridcell').count()).toBe(9);
  await frame.getByRole('gridcell', { name: /^down_proj, layer 1:/ }).click();
  await says(frame.locator('.matrix-details h2'), 'down_proj, layer 1');
  expect(await frame.locator('.singular-values rect').count()).toBe(8);
  await press(frame, 'Look for Intruders');
  await says(frame.locator('.matrix-details'), /of the 10 leading directions/);
  await press(frame, 'Measure Held-Out Loss');
  await until('the losses', async () => (await frame.locator('.ladder tbody tr').count()) === 5);
  await says(frame.locator('.ladder'), /Base alone.*On \d+ tokens in 4 examples/);
  const losses = await frame.locator('.ladder tbody td:nth-child(3)').allTextContents();
  expect(Number(losses[0])).toBeLessThan(Number(losses.at(-1)));
});

test('two adapters are compared, and the panel is found again after a reload', async () => {
  const { window } = bed;
  await press(await window.webview('spectrum'), 'Compare With Another Adapter…');
  await chosen('younger');
  let frame = await window.webview('spectrum');
  await says(frame.locator('.verdict'), /lies in those of younger.*; by chance it would be/);
  // What was measured before the comparison is still there.
  expect(await frame.locator('.ladder tbody tr').count()).toBe(5);
  await press(frame, 'Show Every Pair of Ranks');
  await until('both pictures', async () => (await frame.locator('.similarity-grids svg').count()) === 2);
  await window.screenshot('analysis-compared');
  await window.reload();
  frame = await window.webview('spectrum');
  await press(frame, 'Decompose Again');
  await says(frame.locator('.verdict'), /of rank 8 is in use/);
});

test('a run is probed for training text, and the report opens as a document', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Probe for Verbatim Training Text', 'by-heart');
  const report = window.page.locator('.editor-instance .monaco-editor[data-uri*="Leak"] .view-lines');
  await says(report, /The rate is \d+\.\d %, and its 95 % interval \d+\.\d to \d+\.\d %\./);
  await window.screenshot('analysis-leak-probe');
});

/** Shows the statistics as they are now. */
async function statistics(): Promise<string> {
  const { window } = bed;
  await window.command('LoRA Workbench: Show Completion Statistics');
  const report = window.page.locator('.editor-instance .monaco-editor[data-uri*="Statistics"] .view-lines');
  await says(report, /Statistics of Inline Completion/);
  return ((await report.textContent()) ?? '').replaceAll('\u00a0', ' ');
}

const status = () => bed.window.page.locator('.statusbar-item[id*="completion"]');

test('what becomes of a suggestion is counted: shown, accepted, and what is left of it after half a minute', async () => {
  const { window } = bed;
  const { keyboard } = window.page;
  await window.command('LoRA Workbench: Use Adapter for Inline Completion');
  await chosen('contrary');
  await status().filter({ hasText: 'contrary' }).waitFor();
  const editor = await window.openFile('counted.py');
  await editor.locator('.view-lines').click();
  await keyboard.type(`${signature}\n`);
  await until('ghost text', async () => (await ghostText(editor)) === adapterAnswer);
  await keyboard.press('Tab');
  await keyboard.press('Backspace');
  await keyboard.press('Backspace');
  await keyboard.type('# more');
  expect(await statistics()).toMatch(/contrary \| \d+ \| 1 \| .* \| 3 \| – \| – \|/);
  // 19 of 21 characters.
  await until('the second look', async () => (await statistics()).includes('| 3 | 90 % | – |'));
});

test('base and adapter take turns unnamed, and the one whose text is accepted is told in the end', async () => {
  const { window } = bed;
  const { keyboard } = window.page;
  const toggle = 'LoRA Workbench: Compare Base and Adapter Blindly (Start or Stop)';
  await window.command(toggle);
  await status().filter({ hasText: 'blind comparison' }).waitFor();
  const seen = new Set<string>();
  for (let turn = 1; turn <= mostTurns && seen.size < 2; turn++) {
    const editor = await window.openFile(`turn-${turn}.py`);
    await editor.locator('.view-lines').click();
    await keyboard.type(`${signature}\n`);
    const text = await until('ghost text', async () => (await ghostText(editor)) || false);
    seen.add(text);
    await keyboard.press(text === adapterAnswer ? 'Tab' : 'Escape');
  }
  expect([...seen].sort()).toEqual([adapterAnswer, baseAnswer]);
  await window.command(toggle);
  await status().filter({ hasText: 'contrary' }).waitFor();
  const text = (await statistics()).replace(/^.*Blind comparison/s, '');
  expect(text).toMatch(/contrary.* is accepted more often|contrary is preferred/);
  expect(text).toMatch(/base tiny-llama \| [1-9]\d* \| 0 \|/);
  await window.screenshot('analysis-statistics');
  await window.command('LoRA Workbench: Wipe Completion Statistics');
  expect(await statistics()).toContain('Nothing was suggested yet.');
});
