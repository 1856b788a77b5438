import { copyFileSync, readFileSync } from 'node:fs';
import { parse } from 'jsonc-parser';
import { afterAll, beforeAll, test } from 'vitest';
import { FineTunePanel } from '../test/e2e/harness/fineTunePanel.js';
import { readState, TestBed, until } from '../test/e2e/harness/workspace.js';
import { startWithSmolLM2 } from './smolLM2Bed.js';

const sentence = 'Try adapter rank 128 and let each batch hold 4 examples.';

let bed: TestBed;
let model: string;
beforeAll(async () => {
  [bed, model] = await startWithSmolLM2((files) => {
    for (const name of ['settings.jsonl', 'settings-heldout.jsonl']) copyFileSync(`examples/${name}`, files.path(name));
  });
  // Trains as the demo does.
  const run = { ...(parse(readFileSync('examples/run.json', 'utf8')) as object), model };
  bed.write('lora-workbench.run.json', JSON.stringify(run, null, 2));
});
afterAll(async () => {
  await bed?.stop();
});

test('training, then base and adapter side by side', async () => {
  const { window } = bed;
  await window.useTheme('Dark Modern');
  await window.openFile('lora-workbench.run.json');
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await until('Start can be pressed', () => panel.start.isEnabled());
  await panel.start.click();
  const run = await until('a run directory', () => bed.runs()[0]);
  await window.command('LoRA Workbench: Open Training Monitor');
  const isLate = ({ step, totalSteps }: ReturnType<typeof readState>) => totalSteps > 0 && step > 0.8 * totalSteps;
  await until('the last fifth', () => isLate(readState(run)), 1_800_000);
  await window.page.mouse.move(5, 890);
  await picture('dark');

  await until('the run has ended', () => readState(run).status === 'finished', 900_000);
  await window.useTheme('Light Modern');
  await window.command('LoRA Workbench: Try Adapter in Playground');
  const playground = await window.webview('playground');
  await playground.getByLabel('Prompt', { exact: true }).fill(sentence);
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
