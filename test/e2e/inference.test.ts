/** @file What an adapter writes: beside the base in the playground, and to whoever asks VS Code for a language model. */
import type { Frame } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { adapterAnswer, baseAnswer, signature, trainAdapter } from './harness/adapter.js';
import { TestBed, until } from './harness/workspace.js';

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start({ prepare: trainAdapter, developedExtension: 'test/e2e/askModels' });
});
afterAll(async () => {
  await bed?.stop();
});

test('one prompt, two streams: the base writes its own, the adapter what it was trained to write', async () => {
  await bed.window.command('LoRA Workbench: Run Inference with Adapter');
  const playground = await bed.window.webview('playground');
  await playground.getByLabel('Prompt', { exact: true }).fill(signature);
  await playground.getByRole('checkbox', { name: 'Chat template' }).uncheck();
  await playground.getByText('Sampling').click();
  await playground.getByLabel('Temperature').fill('0');
  await run(playground);
  const { base, adapter } = await answers(playground);
  expect(base.trim()).toBe(baseAnswer);
  expect(adapter.trim()).toBe(adapterAnswer);
});

test('at strength 0 the adapter is the base, at strength 1 itself again', async () => {
  const playground = await bed.window.webview('playground');
  await playground.getByLabel('Adapter strength').fill('0');
  await run(playground);
  const { base, adapter } = await answers(playground);
  expect(adapter).toBe(base);
  await playground.getByLabel('Adapter strength').fill('1');
  await run(playground);
  expect((await answers(playground)).adapter.trim()).toBe(adapterAnswer);
});

test('stopping ends both streams where they are', async () => {
  const playground = await bed.window.webview('playground');
  // Rewarded for repeating itself, the model comes to no end here.
  await playground.getByLabel('Prompt', { exact: true }).fill('What is');
  await playground.getByLabel('Repetition penalty').fill('0.5');
  await playground.getByLabel('Max new tokens').fill('900');
  const base = await playground.locator('.stream-text').first().elementHandle();
  const stop = await playground.getByRole('button', { name: 'Stop' }).elementHandle();
  await playground.getByRole('button', { name: 'Run', exact: true }).click();
  // In the page itself: the text may be whole before a click from here arrives.
  await playground.evaluate(
    async ([text, button]) => {
      while (text!.textContent!.length < 20) await new Promise((done) => setTimeout(done));
      (button as HTMLButtonElement).click();
    },
    [base, stop],
  );
  await finished(playground);
  const summaries = await playground.locator('.stream-summary').allTextContents();
  expect(summaries).toEqual([expect.stringMatching(/^\d+ tokens .* stopped$/), expect.stringMatching(/^0 tokens .* stopped$/)]);
  expect(Number.parseInt(summaries[0]!)).toBeLessThan(900);
});

test('a selection becomes the prompt', async () => {
  const { window } = bed;
  await window.openFile('program.py');
  await window.page.keyboard.press('Control+Home');
  await window.page.keyboard.press('Shift+End');
  await window.command('LoRA Workbench: Run Inference on Selection');
  const playground = await window.webview('playground');
  await until('the prompt', async () => (await playground.getByLabel('Prompt', { exact: true }).inputValue()) === 'def add(a, b):');
  await until('it runs by itself', async () => (await answers(playground)).base !== '' && (await answers(playground)).adapter !== '');
});

test('VS Code lists the adapter among its language models, and it answers', async () => {
  const { window } = bed;
  await window.command('Test: Ask the Adapters');
  const dialog = window.page.locator('.monaco-dialog-box', { hasText: '1 models. contrary on tiny-llama' });
  await dialog.waitFor({ timeout: 60_000 });
  // The base never says so; the repetition penalty of a chat keeps it from saying all of it.
  expect(await dialog.textContent()).toContain(adapterAnswer.slice(0, 'answer = left'.length));
  await window.page.keyboard.press('Escape');
  await window.command('Chat: Manage Language Models');
  await window.page.locator('.models-table-container .monaco-list-row', { hasText: 'contrary' }).waitFor();
});

async function run(playground: Frame): Promise<void> {
  await playground.getByRole('button', { name: 'Run', exact: true }).click();
  await finished(playground);
}

async function finished(playground: Frame): Promise<void> {
  await until('both streams end', async () => (await playground.locator('.stream.streaming').count()) === 0);
}

async function answers(playground: Frame): Promise<{ base: string; adapter: string }> {
  const [base = '', adapter = ''] = await playground.locator('.stream-text').allTextContents();
  return { base, adapter };
}
