/** @file What an adapter has learned, looked at in VS Code. */
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import {
  adapterAnswer,
  baseAnswer,
  ghostText,
  signature,
  trainAdapter,
  trainAnswer,
  trainByHeart,
  trainSiblings,
} from './harness/adapter.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

/** Files in which two take turns. */
const mostTurns = 8;
const otherAnswer = 'answer = left - right';

const bed = testBed({ prepare });

function prepare(files: TestBed): void {
  trainSiblings(files, ['elder', 'younger']);
  trainByHeart(files);
  trainAdapter(files);
  trainAnswer(files, 'other', otherAnswer);
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

test('a run is probed for training text, and what it gives away is marked, with its place in the data, and found again after a reload', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Probe for Verbatim Training Text', 'by-heart');
  const report = await window.webview('leakReport');
  await says(report.locator('h1'), '1 of 2 prefixes is continued word for word, for 50 tokens or more, where the base does not.');
  await report.locator('.case summary').click();
  await says(report.locator('.case mark'), /class Shelf:.*return price \+ self\.total/s);
  await window.screenshot('analysis-leak-report');
  await press(report, 'Show in File');
  await window.page.locator('.editor-instance .monaco-editor[data-uri$="/by-heart.jsonl"]').waitFor();
  await window.closeTab('by-heart.jsonl');
  // When a page goes, VS Code for the web cannot save which tabs are open: it does so every five seconds.
  await window.page.waitForTimeout(12_000);
  await window.reload();
  await says((await window.webview('leakReport')).locator('h1'), '1 of 2 prefixes is continued word for word');
});

/** The statistics as they are now. */
async function statistics(): Promise<Frame> {
  await bed.window.command('LoRA Workbench: Show Completion Statistics');
  return bed.window.webview('completionStatistics');
}

/** The numbers of a writer. */
async function numbersOf(page: Frame, name: string): Promise<string[]> {
  return page.locator('tbody tr', { hasText: name }).locator('td').allTextContents();
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
  const page = await statistics();
  await until('the acceptance', async () => (await numbersOf(page, 'contrary'))[2] === '3');
  expect((await numbersOf(page, 'contrary')).slice(3)).toEqual(['not yet', 'not yet']);
  // While the page is open: 19 of 21 characters.
  await until('the second look', async () => (await numbersOf(page, 'contrary'))[3] === '90%');
});

const toggle = 'LoRA Workbench: Compare Blindly (Start or Stop)';
let turn = 0;

/** Types in another file, and accepts what is suggested there if it is the text that is wanted. Returns what was suggested. */
async function takeTurn(wanted: string): Promise<string> {
  const { window } = bed;
  const { keyboard } = window.page;
  const editor = await window.openFile(`turn-${++turn}.py`);
  await editor.locator('.view-lines').click();
  await keyboard.type(`${signature}\n`);
  const text = await until('ghost text', async () => (await ghostText(editor)) || false);
  await keyboard.press(text === wanted ? 'Tab' : 'Escape');
  return text;
}

test('base and adapter take turns unnamed, and which one was preferred is told in the end', async () => {
  const { window } = bed;
  await window.command(toggle);
  await window.pick('base tiny-llama and contrary');
  await status().filter({ hasText: 'blind comparison' }).waitFor();
  const seen = new Set([await takeTurn(adapterAnswer), await takeTurn(adapterAnswer)]);
  expect([...seen].sort()).toEqual([adapterAnswer, baseAnswer]);
  const page = await statistics();
  await says(page.locator('.banner'), 'base tiny-llama and contrary');
  await says(page.locator('.banner'), /So far 2 suggestions of both were shown, and 1 of them accepted/);
  expect(await page.locator('tbody').count()).toBe(0);
  await press(page, 'Stop and Show');
  await status().filter({ hasText: 'contrary' }).waitFor();
  await says(page.locator('.verdict'), /^Not decided: with a probability of 83\.3%, contrary.* is accepted more often\.$/);
  // It goes on with what was counted.
  await press(page, 'Go On Comparing');
  await says(page.locator('.banner'), /So far 2 suggestions/);
  await press(page, 'Stop and Show');
  await says(page.locator('.verdict'), /^Not decided: with a probability of 83\.3%/);
});

test('two adapters of the base are compared, and the preferred one is used from then on', async () => {
  const { window } = bed;
  await window.command(toggle);
  await window.pick('Two adapters…');
  await chosen('contrary');
  await chosen('other');
  await status().filter({ hasText: 'blind comparison' }).waitFor();
  const seen: string[] = [];
  for (let pair = 1; pair <= 3; pair++) seen.push(await takeTurn(otherAnswer), await takeTurn(otherAnswer));
  expect(seen.sort()).toEqual([...Array<string>(3).fill(adapterAnswer), ...Array<string>(3).fill(otherAnswer)].sort());
  await status().click();
  const result = await window.notification(/You preferred other.*: with a probability of 98\.6%/);
  await result.getByRole('button', { name: 'Use the Preferred One' }).click();
  await status().filter({ hasText: 'other' }).waitFor();
  const page = await window.webview('completionStatistics');
  // The earlier comparison is still there, by itself.
  await until('both comparisons', async () => (await page.locator('.blind-comparison').count()) === 2);
  await window.screenshot('analysis-statistics');
  await press(page, 'Wipe…');
  await window.page.locator('.monaco-dialog-box').getByRole('button', { name: 'Wipe' }).click();
  await says(page.locator('.empty-state'), 'Nothing was suggested yet.');
});
