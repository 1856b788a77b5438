/** @file What an adapter writes: next to the base in the playground, and for anyone who asks VS Code for a language model. */
import { existsSync, readFileSync } from 'node:fs';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { adapterAnswer, baseAnswer, signature, trainAdapter } from './harness/adapter.js';
import { testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare: trainAdapter, developedExtension: 'test/e2e/askModels' });

test('the playground opens on the base beside the newest adapter, and reads the prompt as that was trained', async () => {
  await bed.window.command('LoRA Workbench: Try Adapter in Playground');
  const playground = await bed.window.webview('playground');
  expect(await playground.getByLabel('Model on the left').inputValue()).toBe('');
  expect(await playground.getByLabel('Model on the right').inputValue()).toBe(bed.path('runs/contrary/adapter'));
  await playground.getByLabel('Prompt', { exact: true }).fill(signature);
  await playground.getByText('Strength and sampling').click();
  await playground.getByLabel('Temperature').fill('0');
  await run(playground);
  const { left, right } = await answers(playground);
  expect(left.trim()).toBe(baseAnswer);
  expect(right.trim()).toBe(adapterAnswer);
  expect(await playground.locator('.stream-summary').allTextContents()).toEqual([
    expect.stringContaining('read as text'),
    expect.stringContaining('read as text'),
  ]);
});

test('at strength 0 the adapter is the base, at strength 1 itself again, and the same prompt gives the same text', async () => {
  const playground = await bed.window.webview('playground');
  const before = await answers(playground);
  await playground.getByLabel('Strength of contrary').fill('0');
  await run(playground);
  const { left, right } = await answers(playground);
  expect(left).toBe(before.left);
  expect(right).toBe(left);
  await playground.getByLabel('Strength of contrary').fill('1');
  await run(playground);
  expect(await answers(playground)).toEqual(before);
});

test('earlier prompts are taken up again', async () => {
  const playground = await bed.window.webview('playground');
  await playground.getByLabel('Prompt', { exact: true }).fill('');
  await playground.getByText('Earlier prompts (1)').click();
  await playground.getByRole('button', { name: signature }).click();
  expect(await playground.getByLabel('Prompt', { exact: true }).inputValue()).toBe(signature);
});

test('the prompts of a file are answered in a table, which is saved as JSONL', async () => {
  const { window } = bed;
  const playground = await window.webview('playground');
  const file = bed.write('prompts.txt', `${signature}\nWhat is 1 plus 2?\n`);
  await playground.getByRole('button', { name: 'Run a File…' }).click();
  await window.answerFileDialog(file);
  await playground.getByText('2 of 2 answered').waitFor();
  await playground.locator('.batch').getByRole('button', { name: 'Stop' }).waitFor({ state: 'hidden' });
  const [first] = await playground.locator('.batch tbody tr').all();
  expect(await first!.locator('th, td').allTextContents()).toEqual([signature, baseAnswer, adapterAnswer]);
  const saved = bed.path('saved.jsonl');
  const isSaved = () => existsSync(saved) && readFileSync(saved, 'utf8').endsWith('\n');
  // On a slow machine, VS Code's dialog may accept Enter before it has read the path, and save under the name that it proposed.
  for (let attempt = 1; !isSaved(); attempt++) {
    await playground.getByRole('button', { name: 'Save as JSONL…' }).click();
    await window.answerFileDialog(saved);
    await until('the answers are saved', isSaved, 10_000).catch((error: unknown) => {
      if (attempt === 4) throw error;
    });
  }
  const [line] = readFileSync(saved, 'utf8')
    .split('\n')
    .map((text) => (text ? (JSON.parse(text) as unknown) : null));
  expect(line).toMatchObject({
    prompt: signature,
    answers: [{ adapter: null }, { adapter: bed.path('runs/contrary/adapter'), strength: 1 }],
  });
  await playground.getByRole('button', { name: 'Close the Table' }).click();
  await playground.locator('.stream').first().waitFor();
});

test('stopping ends both streams where they are', async () => {
  const playground = await bed.window.webview('playground');
  // Rewarded for repeating itself, the model never stops here.
  await playground.getByLabel('Prompt', { exact: true }).fill('What is');
  await playground.getByLabel('Repetition penalty').fill('0.5');
  await playground.getByLabel('Max new tokens').fill('900');
  const left = await playground.locator('.stream-text').first().elementHandle();
  await playground.getByRole('button', { name: 'Run', exact: true }).click();
  const stop = await playground.getByRole('button', { name: 'Stop' }).elementHandle();
  // Click in the page itself: the text may be complete before a click from here arrives.
  await playground.evaluate(
    async ([text, button]) => {
      while (text!.textContent!.length < 20) await new Promise((done) => setTimeout(done));
      (button as HTMLButtonElement).click();
    },
    [left, stop],
  );
  await finished(playground);
  const summaries = await playground.locator('.stream-summary').allTextContents();
  expect(summaries).toEqual(Array(2).fill(expect.stringMatching(/^\d+ tokens .* stopped/)));
  for (const summary of summaries) expect(Number.parseInt(summary)).toBeLessThan(900);
});

test('a selection becomes the prompt', async () => {
  const { window } = bed;
  await window.openFile('program.py');
  await window.page.keyboard.press('Control+Home');
  await window.page.keyboard.press('Shift+End');
  await window.command('LoRA Workbench: Try Selection in Playground');
  const playground = await window.webview('playground');
  await until(
    'the prompt',
    async () => (await playground.getByLabel('Prompt', { exact: true }).inputValue()) === 'def add(a, b):',
  );
  await until(
    'it runs by itself',
    async () => (await answers(playground)).left !== '' && (await answers(playground)).right !== '',
  );
});

test('Chat with Adapter opens the chat with it, and it answers, though nobody has signed in anywhere', async () => {
  const { page } = bed.window;
  await bed.window.command('LoRA Workbench: Chat with Adapter…');
  const chat = page.locator('.interactive-session').first();
  await chat.locator('.interactive-input-part', { hasText: '@adapter' }).waitFor();
  await page.keyboard.insertText(signature);
  await page.keyboard.press('Enter');
  const answer = chat.locator('.interactive-response');
  await until('the answer', async () => (await answer.innerText()).includes(adapterAnswer.slice(0, 'answer = left'.length)));
  expect(await answer.innerText()).toContain('LoRA Adapter');
});

test('VS Code lists the adapter among its language models, and it answers', async () => {
  const { window } = bed;
  await window.command('Test: Ask the Adapters');
  const dialog = window.page.locator('.monaco-dialog-box', { hasText: '1 models. contrary · tiny-llama · r8 on tiny-llama' });
  await dialog.waitFor({ timeout: 60_000 });
  // The base never says this; a chat's repetition penalty keeps the adapter from saying all of it.
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

async function answers(playground: Frame): Promise<{ left: string; right: string }> {
  const [left = '', right = ''] = await playground.locator('.stream-text').allTextContents();
  return { left, right };
}
