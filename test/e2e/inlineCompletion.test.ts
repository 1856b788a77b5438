/**
 * @file Ghost text: comes from the adapter, is accepted with Tab, differs from the base's, has the strength that is set, includes
 * the brackets that the editor closed, is told similar parts of other files, and disappears when it is turned off.
 */
import { readFileSync, rmSync } from 'node:fs';
import type { Locator } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import {
  adapterAnswer,
  baseAnswer,
  ghostText,
  pairLines,
  signature,
  trainAdapter,
  trainPairsAdapter,
  trainReader,
} from './harness/adapter.js';
import { testBed, until } from './harness/workspace.js';

const bed = testBed({
  settings: { 'files.autoSave': 'afterDelay', 'files.autoSaveDelay': 100 },
  prepare: (files) => void files.write('empty.py', ''),
});
let editor: Locator;
beforeAll(async () => {
  editor = await bed.window.openFile('empty.py');
});

test('while nothing is chosen there is no ghost text, no status, and no backend', async () => {
  await typeSignature();
  await bed.window.page.waitForTimeout(2000);
  expect(await ghostText(editor)).toBe('');
  expect(await status().count()).toBe(0);
  expect(bed.backendPid()).toBe(undefined);
});

test('the adapter writes ghost text, and Tab takes exactly that', async () => {
  const { window } = bed;
  trainAdapter(bed);
  await window.command('LoRA Workbench: Use Adapter for Inline Completion');
  await status().filter({ hasText: 'contrary' }).waitFor();
  await typeSignature();
  await until('ghost text', async () => (await ghostText(editor)) === adapterAnswer);
  await until('the latency in the status bar', async () => /contrary [\d.]+ m?s/.test((await status().textContent()) ?? ''));
  await window.page.keyboard.press('Tab');
  await documentIs(`${signature}\n    ${adapterAnswer}`);
  expect(await ghostText(editor)).toBe('');
});

test('a switch at the same cursor shows what the base would write, and back', async () => {
  const { window } = bed;
  await typeSignature();
  await until('ghost text of the adapter', async () => (await ghostText(editor)) === adapterAnswer);
  await window.command('LoRA Workbench: Switch Inline Completion Between Base and Adapter');
  await until('ghost text of the base', async () => (await ghostText(editor)) === baseAnswer);
  await status().filter({ hasText: /base/ }).waitFor();
  await status().click();
  await until('ghost text of the adapter again', async () => (await ghostText(editor)) === adapterAnswer);
  await documentIs(`${signature}\n    `);
});

test('at strength 0 the adapter adds nothing', async () => {
  await bed.changeSetting('loraWorkbench.inlineCompletion.adapterStrength', 0);
  await bed.window.openFile('empty.py');
  await status().filter({ hasText: 'contrary' }).waitFor();
  await until('ghost text of the base', async () => {
    await typeSignature();
    return until('ghost text', async () => (await ghostText(editor)) === baseAnswer, 5000).catch(() => false);
  });
});

const useAdapter = 'LoRA Workbench: Use Adapter for Inline Completion';

test('brackets and quotes that the editor closed are taken with the text that closes them', async () => {
  const { window } = bed;
  await bed.changeSetting('loraWorkbench.inlineCompletion.adapterStrength', 1);
  trainPairsAdapter(bed);
  await window.commandOn(useAdapter, 'pairs');
  await status().filter({ hasText: 'pairs' }).waitFor();
  await window.openFile('empty.py');
  const begun = ['def total(', 'names = [', 'ages = {', 'title = "', "mark = '"];
  for (const [index, beginning] of begun.entries()) {
    await accept(() => typeAnew(beginning), pairLines[index]!);
  }
  const tooltip = await window.hover(status());
  expect(tooltip).toContain('Computed on: CPU');
  expect(tooltip).toContain('The model reads only what stands before the cursor: it has not learned to fill in the middle.');
});

test('amid a line what stands behind the cursor is neither lost nor doubled', async () => {
  const { keyboard } = bed.window.page;
  const typeBefore = async (beginning: string, behind: string): Promise<void> => {
    await typeAnew(beginning.slice(0, -1) + behind);
    for (let left = behind.length; left > 0; left--) await keyboard.press('ArrowLeft');
    await keyboard.type(beginning.slice(-1));
  };
  await accept(() => typeBefore('both = add(', ' + 1'), 'both = add(left, right) + 1');
  await accept(() => typeBefore('def total(', ':'), 'def total(items: list[int]) -> int:');
});

test('similar parts of other files are told to a model that has learned to read them, once that is set', async () => {
  const { window } = bed;
  trainReader(bed);
  const parts = ['def add_prices(left: int, right: int) -> int:', '    prices = [left, right]', '    return sum(prices)'];
  bed.write('prices.py', `${parts.join('\n')}\n`);
  await window.commandOn(useAdapter, 'reader');
  await status().filter({ hasText: 'reader' }).waitFor();
  await window.openFile('empty.py');
  const told = async (text: string): Promise<string | false> => {
    await typeSignature();
    await status()
      .filter({ hasText: /reader [\d.]+ m?s/ })
      .waitFor();
    const tooltip = await window.hover(status());
    return tooltip.includes(text) && tooltip;
  };
  const others = 'Similar parts of other files that it was told';
  expect(await told('(fill-in-the-middle: qwen)')).not.toContain(others);
  bed.write('.vscode/settings.json', JSON.stringify({ 'loraWorkbench.inlineCompletion.retrieval': true }));
  await until('a suggestion with parts of other files', () => told(`${others}: `));
});

test('turned off, it is silent', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Turn Off Inline Completion');
  await status().waitFor({ state: 'hidden' });
  await typeSignature();
  await window.page.waitForTimeout(2000);
  expect(await ghostText(editor)).toBe('');
  expect(await window.paletteOffers('Turn Off Inline Completion')).not.toContain('LoRA Workbench: Turn Off Inline Completion');
});

test('where its adapter is deleted, that is said once, with what to do', async () => {
  const { window } = bed;
  await window.commandOn(useAdapter, 'pairs');
  await status().filter({ hasText: 'pairs' }).waitFor();
  rmSync(bed.path('runs/pairs'), { recursive: true });
  await window.openFile('empty.py');
  for (const beginning of ['names = [', 'ages = {']) {
    await typeAnew(beginning);
    await status().locator('.codicon-error').waitFor();
  }
  await window.command('Notifications: Show Notifications');
  const messages = window.page.locator('.notifications-center .notification-list-item', {
    hasText: 'Inline completion does not work',
  });
  await messages.first().waitFor();
  expect(await messages.allTextContents()).toEqual([expect.stringContaining('it was moved or deleted')]);
  await messages.getByRole('button', { name: 'Turn Off' }).click();
  await status().waitFor({ state: 'hidden' });
});

/** Types until ghost text appears, accepts it, and waits for the line. */
async function accept(type: () => Promise<void>, line: string): Promise<void> {
  await type();
  await until(`ghost text for ${line}`, async () => (await ghostText(editor)) !== '');
  await bed.window.page.keyboard.press('Tab');
  await documentIs(line);
}

async function typeAnew(text: string): Promise<void> {
  const { keyboard } = bed.window.page;
  await editor.locator('.view-lines').click();
  await keyboard.press('Control+A');
  await keyboard.press('Delete');
  await keyboard.type(text, { delay: 5 });
}

/** Replaces everything in the editor. Enter indents the next line. */
async function typeSignature(): Promise<void> {
  await typeAnew(signature);
  await bed.window.page.keyboard.press('Enter');
  await documentIs(`${signature}\n    `);
}

async function documentIs(text: string): Promise<void> {
  const saved = () => readFileSync(bed.path('empty.py'), 'utf8');
  await until(`the document is ${JSON.stringify(text)}`, () => saved() === text).catch((error: unknown) => {
    throw new Error(`${String(error)} It is ${JSON.stringify(saved())}.`);
  });
}

function status(): Locator {
  return bed.window.page.locator('.statusbar-item[id*="completion"]');
}
