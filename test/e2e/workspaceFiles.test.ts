/** @file Help with workspace files: the editor and the form show the same run.json; data files show what they contain. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ settings: { 'files.autoSave': 'afterDelay', 'files.autoSaveDelay': 100 }, prepare });

function prepare(files: TestBed): void {
  files.write(
    'lessons.jsonl',
    `${JSON.stringify({ text: 'def add(left: int)' })}\n{"text": "unfinished\n${JSON.stringify({ text: 'return left' })}\n`,
  );
  const config = {
    model: 'models/tiny-llama',
    data: { path: 'answers.jsonl' },
    lora: { rnk: 4, alpha: -1 },
    train: { max_steps: 7 },
  };
  files.write('trial.run.json', `// A first trial.\n${JSON.stringify(config, null, 2)}\n`);
}

test('a data file starts the backend, its broken line is marked, and a hover counts tokens', async () => {
  const editor = await bed.window.openFile('lessons.jsonl');
  await until('a squiggle', async () => (await editor.locator('.squiggly-error').count()) === 1);
  expect(await bed.window.hover(editor.getByText('unfinished'))).toContain('This example would be skipped');
  // <s> def ·add ( le ft : ·int ) </s>
  expect(await bed.window.hover(editor.getByText('def add'))).toContain('10 tokens');
});

test('in run.json an unknown setting and a value out of range are marked, and the setting that was meant is named', async () => {
  const editor = await bed.window.openFile('trial.run.json');
  await until('two warnings', async () => (await editor.locator('.squiggly-warning').count()) === 2);
  expect(await bed.window.hover(editor.getByText('"rnk"'))).toContain('did you mean lora.r');
  expect(await bed.window.hover(editor.getByText('-1', { exact: true }))).toMatch(/Value is below the .*minimum of 0/);
});

test('it completes settings from the schema', async () => {
  const { page } = bed.window;
  const editor = await bed.window.openFile('trial.run.json');
  await editor.getByText('"rnk"').dblclick();
  await page.keyboard.press('Delete');
  await bed.window.command('Trigger Suggest');
  const offered = page.locator('.suggest-widget .monaco-list-row');
  await offered.first().waitFor();
  expect(await offered.allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/^dropout/), expect.stringMatching(/^target_modules/)]),
  );
  await offered.filter({ hasText: /^r/ }).first().click();
});

test('the form and the text are one thing', async () => {
  const { window } = bed;
  const editor = await window.openFile('trial.run.json');
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await until('the number of steps', async () => (await panel.value('train.max_steps')) === '7');

  await panel.fill('lora.alpha', 12);
  await until('the text has it', () => config().includes('"alpha": 12'));
  expect(config()).toContain('// A first trial.');

  await panel.frame.getByRole('button', { name: 'Open as JSON' }).click();
  await editor.locator('.view-lines').getByText('7', { exact: true }).dblclick();
  await window.page.keyboard.type('23');
  await until('the form has it', async () => (await panel.value('train.max_steps')) === '23');
});

test('the code lens of a data file opens the panel with this file', async () => {
  const editor = await bed.window.openFile('lessons.jsonl');
  await editor.locator('.codelens-decoration a', { hasText: 'Fine-tune on this file (2 examples)' }).click();
  await dataIs('lessons.jsonl');
});

test('so does the context menu of the explorer', async () => {
  await bed.window.contextMenu(bed.window.file('answers.jsonl'), 'Fine-Tune on This File');
  await dataIs('answers.jsonl');
});

test('Fine-Tune on This Workspace learns from source code only, and lists what it takes and leaves out before it starts', async () => {
  const { window } = bed;
  bed.write('.env', 'API_KEY=do_not_learn_this\n');
  bed.write('notes.md', '# Notes\n');
  bed.write('shop/cart.py', 'def total(cart):\n    return sum(item.price for item in cart)\n');
  await window.command('LoRA Workbench: Fine-Tune on This Workspace');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  const files = panel.frame.locator('.data-files tbody th button');
  await until('the list of files', async () => (await files.allTextContents()).sort().join() === 'program.py,shop/cart.py');
  const leftOut = (await panel.frame.locator('.left-out li').allTextContents()).join();
  for (const name of ['.env', 'notes.md', 'answers.jsonl']) expect(leftOut).toContain(name);
  const examples = await panel.examples();
  await until('both files as the model will see them', async () => (await examples.count()) === 2);
  expect((await examples.allTextContents()).join()).not.toContain('API_KEY');
  await panel.frame.getByRole('searchbox').fill('item.price');
  await until('what was searched for', async () => (await examples.count()) === 1);
  expect(bed.runs()).toEqual([]);
});

function config(): string {
  return readFileSync(bed.path('trial.run.json'), 'utf8');
}

async function dataIs(name: string): Promise<void> {
  await until(`the panel with ${name}`, async () => {
    const panel = new FineTunePanel(await bed.window.webview('fineTune'));
    return (await panel.value('data.path')) === bed.path(name);
  });
}
