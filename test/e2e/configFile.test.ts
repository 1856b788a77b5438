/** @file The panel and its run.json agree, whoever changes it and whether or not an editor shows it, and so does the run. */
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ settings: { 'files.autoSave': 'off' }, prepare });
let panel: FineTunePanel;

const name = 'trial.run.json';
const text = `// A first trial.
{
    "model": "models/tiny-llama", // three layers
    "data": { "path": "answers.jsonl" },
    "lora": { "r": 8, "alpha": 16 },
    "train": { "max_steps": 7, "eval_steps": 5 } // short
}
`;

function prepare(files: TestBed): void {
  files.write(name, text);
}

test('after its editor is closed the form goes on with the file: every edit is kept, and so are the comments', async () => {
  const { window } = bed;
  await window.openFile(name);
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  panel = new FineTunePanel(await window.webview('fineTune'));
  await formHas('train.max_steps', '7');
  await window.closeTab(name);

  for (const rank of [4, 5, 6]) {
    await panel.fill('lora.r', rank);
    await fileHas(text.replace('"r": 8', `"r": ${rank}`));
    await formHas('lora.r', String(rank));
  }
});

test('what another program writes shows at once, and the next edit starts from it', async () => {
  const theirs = text.replace('"max_steps": 7', '"max_steps": 9').replace('first', 'second');
  writeFileSync(bed.path(name), theirs);
  await formHas('train.max_steps', '9');
  await formHas('lora.r', '8');
  await panel.fill('lora.r', 4);
  await fileHas(theirs.replace('"r": 8', '"r": 4'));
});

test('the run that is started has what the file has', async () => {
  await panel.start.click();
  const run = await until('a run directory', () => bed.runs()[0]);
  const config = await until(
    'its settings',
    () => JSON.parse(readFileSync(join(run, 'run.json'), 'utf8')) as { lora: unknown; train: unknown },
  );
  expect(config).toMatchObject({ lora: { r: 4, alpha: 16 }, train: { max_steps: 9, eval_steps: 5 } });
  await panel.runIs('finished');
});

test('a text that is no JSON locks the form; resetting begins anew and keeps a copy', async () => {
  const broken = '{ "model": ';
  writeFileSync(bed.path(name), broken);
  const banner = panel.frame.getByRole('alert').filter({ hasText: 'not valid JSON' });
  await banner.waitFor();
  expect(await panel.setting('lora.r').locator('input').first().isDisabled()).toBe(true);
  await banner.getByRole('button', { name: 'Reset Settings' }).click();
  await banner.waitFor({ state: 'hidden' });
  const copies = readdirSync(bed.workspace).filter((file) => file.startsWith(name) && file.endsWith('.bak'));
  expect(copies.map((copy) => readFileSync(bed.path(copy), 'utf8'))).toEqual([broken]);
  await panel.fill('lora.r', 3);
  await until(
    'the new file has the edit',
    () => (JSON.parse(readFileSync(bed.path(name), 'utf8')) as { lora?: { r: number } }).lora?.r === 3,
  );
});

test('the sample data comes with the extension', async () => {
  await panel.frame.getByRole('button', { name: 'Try with Sample Data' }).click();
  await until('the form has it', async () => /sample-data.*\.jsonl$/.test(await panel.value('data.path')));
  await says(panel.setting('data.path').locator('.field-note'), /prompt-completion · \d+ examples/);
});

test('a run.json that is deleted is missed in words, and can be begun anew', async () => {
  // VS Code's watcher misses a file that appears and disappears within a moment.
  await sleep(3000);
  rmSync(bed.path(name));
  const banner = panel.frame.getByRole('alert').filter({ hasText: `${name} no longer exists.` });
  await banner.getByRole('button', { name: 'Reset Settings' }).click();
  await banner.waitFor({ state: 'hidden' });
  await panel.fill('lora.r', 2);
  await until(
    'there is a file again',
    () => (JSON.parse(readFileSync(bed.path(name), 'utf8')) as { lora?: { r: number } }).lora?.r === 2,
  );
});

async function formHas(setting: string, value: string): Promise<void> {
  await until(`${setting} is ${value} in the form`, async () => (await panel.value(setting)) === value);
}

async function fileHas(expected: string): Promise<void> {
  await until('the file has the edit', () => readFileSync(bed.path(name), 'utf8') === expected).catch(() => undefined);
  expect(readFileSync(bed.path(name), 'utf8')).toBe(expected);
}
