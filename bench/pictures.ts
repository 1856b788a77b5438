import { copyFileSync } from 'node:fs';
import { afterAll, beforeAll, test } from 'vitest';
import { FineTunePanel } from '../test/e2e/harness/fineTunePanel.js';
import { readState, TestBed, until } from '../test/e2e/harness/workspace.js';
import { startWithSmolLM2 } from './smolLM2Bed.js';

const steps = 120;
const question = 'My run stopped with an out-of-memory message. What helps?';

let bed: TestBed;
let model: string;
beforeAll(async () => {
  [bed, model] = await startWithSmolLM2((files) => {
    copyFileSync('examples/lora-workbench-qa.jsonl', files.path('questions.jsonl'));
  });
});
afterAll(async () => {
  await bed?.stop();
});

test('training, then base and adapter side by side', async () => {
  const { window } = bed;
  await window.useTheme('Dark Modern');
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await panel.choose('model', model);
  await panel.fill('data.path', bed.path('questions.jsonl'));
  await panel.fill('lora.r', 8);
  await panel.fill('lora.alpha', 16);
  await panel.fill('train.max_steps', steps);
  await panel.fill('train.learning_rate', '1e-3');
  await panel.fill('train.batch_size', 4);
  await until('Start can be pressed', () => panel.start.isEnabled());
  await panel.start.click();
  const run = await until('a run directory', () => bed.runs()[0]);
  await window.command('LoRA Workbench: Open Training Monitor');
  await until('the last quarter', () => readState(run).step > 0.75 * steps, 1_800_000);
  await window.page.mouse.move(5, 890);
  await picture('dark');

  await until('the run has ended', () => readState(run).status === 'finished', 900_000);
  await window.useTheme('Light Modern');
  await window.command('LoRA Workbench: Try Adapter in Playground');
  const playground = await window.webview('playground');
  await playground.getByLabel('Prompt', { exact: true }).fill(question);
  await playground.getByText('Strength and sampling').click();
  await playground.getByLabel('Temperature').fill('0');
  await playground.getByText('Strength and sampling').click();
  await playground.getByRole('button', { name: 'Run', exact: true }).click();
  await until('two answers', async () => (await playground.getByText(/tokens\/s/).count()) === 2, 300_000);
  await window.page.mouse.move(5, 890);
  await picture('light');
});

async function picture(theme: 'dark' | 'light'): Promise<void> {
  copyFileSync(await bed.window.screenshot(`readme-${theme}`), `media/screenshot-${theme}.png`);
}
