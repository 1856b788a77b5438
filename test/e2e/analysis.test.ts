/** @file What an adapter has learned, looked at in VS Code. */
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trainOnOneText, trainSiblings } from './harness/adapter.js';
import { says, TestBed, until } from './harness/workspace.js';

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

test('two adapters are compared, and the comparison is found again after a reload', async () => {
  const { window } = bed;
  await press(await window.webview('spectrum'), 'Compare With Another Adapter…');
  await window.pick('younger');
  let frame = await window.webview('spectrum');
  await says(frame.locator('.verdict'), /lies in those of younger; by chance it would be/);
  // What was measured before the comparison is still there.
  expect(await frame.locator('.ladder tbody tr').count()).toBe(5);
  await press(frame, 'Show Every Pair of Ranks');
  await until('both pictures', async () => (await frame.locator('.similarity-grids svg').count()) === 2);
  await window.screenshot('analysis-compared');
  await window.reload();
  frame = await window.webview('spectrum');
  await press(frame, 'Decompose Again');
  await says(frame.locator('.verdict'), /lies in those of younger/);
  await says(frame.locator('.matrix-details h2'), 'down_proj, layer 1');
});

test('a run is probed for training text, and the report opens as a document', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Probe for Verbatim Training Text', 'by-heart');
  const report = window.page.locator('.editor-instance .monaco-editor[data-uri*="Leak"] .view-lines');
  await says(report, /The rate is \d+\.\d %, and its 95 % interval \d+\.\d to \d+\.\d %\./);
  await window.screenshot('analysis-leak-probe');
});
