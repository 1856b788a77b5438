/** @file Somebody who has nothing yet: an idle window costs nothing, and what is imported shows at once. */
import { cpSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFailed, test } from 'vitest';
import { processesWith, processorShares } from './harness/processorTime.js';
import { TestBed, until } from './harness/workspace.js';

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start({ prepare });
});
afterAll(async () => {
  await bed?.stop();
});

beforeEach(() => {
  onTestFailed(async () => void (await bed.window.screenshot('newcomer-failed')));
});

/** A workspace of two thousand files, and no model in it. */
function prepare(files: TestBed): void {
  rmSync(files.path('models'), { recursive: true });
  for (let index = 0; index < 2000; index++) files.write(`src/part${index % 40}/module${index}.py`, `value = ${index}\n`);
}

const elsewhere = () => join(bed.root, 'downloads');

test('with no model and no adapter, extension host, backend and window are idle', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  await window.webview('fineTune');
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.pane('Models').getByText('No models found').waitFor();
  const backend = await until('the backend', () => bed.backendPid());
  const [extensionHost] = processesWith('--type=extensionHost');
  const names = ['extension host', 'backend', ...processesWith(bed.root, '--type=renderer').map(() => 'window')];
  const pids = [extensionHost!, backend, ...processesWith(bed.root, '--type=renderer')];
  // Start-up goes on for a while: files are watched, extensions activated. What never ends is never calm.
  let shares: number[] = [];
  await until(
    'all are below 2 % of a core over 30 s',
    async () => {
      shares = await processorShares(pids, 30);
      return shares.every((share) => share < 0.02);
    },
    180_000,
  ).catch((error: unknown) => {
    const found = shares.map((share, index) => `${names[index]} ${(100 * share).toFixed(1)} %`);
    throw new Error(`${String(error)} ${found.join(', ')}`);
  });
});

test('a file that is no model is refused with the reason, and does not stay in the settings', async () => {
  const { window } = bed;
  bed.write('../downloads/broken.gguf', 'GGUF but no model.');
  await window.commandOn('LoRA Workbench: Import Model…', 'GGUF file…');
  await window.answerFileDialog(join(elsewhere(), 'broken.gguf'));
  await said('There is no model that can be used in');
  expect(settings()).not.toContain('broken.gguf');
});

test('a model that is imported is said to be ready, shows in the tree at once, and is chosen where none was', async () => {
  const { window } = bed;
  cpSync('test/fixtures/models/tiny-llama', join(elsewhere(), 'tiny-llama'), { recursive: true });
  await window.commandOn('LoRA Workbench: Import Model…', 'Hugging Face folder…');
  await window.answerFileDialog(join(elsewhere(), 'tiny-llama'));
  await said('tiny-llama is ready to be fine-tuned.');
  await window.treeRow('Models', 'tiny-llama').waitFor();
  expect(settings()).toContain('tiny-llama');
});

/** Toasts come and go; the list of notifications keeps what was said. */
async function said(text: string): Promise<void> {
  await bed.window.command('Notifications: Show Notifications');
  await bed.window.page.locator('.notifications-center .notification-list-item', { hasText: text }).waitFor();
}

function settings(): string {
  return readFileSync(join(bed.root, 'user-data/User/settings.json'), 'utf8');
}
