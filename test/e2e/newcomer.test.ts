/** @file A user who has nothing yet: an idle window costs nothing, and a new model shows up at once. */
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { processesWith, processorShares, wasStartedWith } from './harness/processorTime.js';
import { type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

/** A workspace of two thousand files without a model. */
function prepare(files: TestBed): void {
  rmSync(files.path('models'), { recursive: true });
  for (let index = 0; index < 2000; index++) files.write(`src/part${index % 40}/module${index}.py`, `value = ${index}\n`);
}

const elsewhere = () => join(bed.root, 'downloads');

test('with no model and no adapter, extension host, backend and window are idle', async () => {
  const { window } = bed;
  const extensionHost = await until('the extension host', () =>
    processesWith('--type=extensionHost').find((pid) => wasStartedWith(pid, bed.root)),
  );
  // VS Code itself is never quite idle; only what is added on top is ours.
  const [ofVsCode] = await processorShares([extensionHost], 15);
  await window.command('LoRA Workbench: Fine-Tune…');
  await window.webview('fineTune');
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.pane('Models').getByText('No models found').waitFor();
  const backend = await until('the backend', () => bed.backendPid());
  const renderers = processesWith(bed.root, '--type=renderer').map((pid) => ({ name: 'window', pid, limit: 0.02 }));
  const watched = [
    { name: 'backend', pid: backend, limit: 0.02 },
    ...renderers,
    { name: 'extension host', pid: extensionHost, limit: 0.02 + Math.min(0.06, ofVsCode!) },
  ];
  // Start-up takes a while: files are watched, extensions activated. Work that never ends would never become calm.
  let found = '';
  const areCalm = async (): Promise<boolean> => {
    const shares = await processorShares(
      watched.map(({ pid }) => pid),
      30,
    );
    found = watched.map(({ name }, index) => `${name} ${(100 * shares[index]!).toFixed(1)} %`).join(', ');
    return watched.every(({ limit }, index) => shares[index]! < limit);
  };
  await until('all are below 2 % of a core over 30 s', areCalm, 180_000).catch((error: unknown) => {
    throw new Error(`${String(error)} ${found}`);
  });
});

test('a file that is no model is refused with the reason, and does not stay in the settings', async () => {
  const { window } = bed;
  bed.write('../downloads/broken.gguf', 'GGUF but no model.');
  await window.commandOn('LoRA Workbench: Import Model…', 'GGUF file…');
  await window.answerFileDialog(join(elsewhere(), 'broken.gguf'));
  await said('No usable model was found in');
  expect(settings()).not.toContain('broken.gguf');
});

test('a model that is imported is said to be ready, shows in the tree at once, and is chosen where none was', async () => {
  const { window } = bed;
  cpSync('test/fixtures/models/tiny-llama', join(elsewhere(), 'tiny-llama'), { recursive: true });
  const row = window.treeRow('Models', 'tiny-llama');
  // On a slow machine, VS Code's dialog may accept Enter before it has read the path, and choose the initial folder.
  for (let attempt = 1; (await row.count()) === 0; attempt++) {
    await window.commandOn('LoRA Workbench: Import Model…', 'Hugging Face folder…');
    await window.answerFileDialog(join(elsewhere(), 'tiny-llama'));
    await row.waitFor({ timeout: 15_000 }).catch((error: unknown) => {
      if (attempt === 4) throw error;
    });
  }
  await said('tiny-llama is ready to be fine-tuned.');
  await until('the settings name it', () => settings().includes('tiny-llama'));
  const model = new FineTunePanel(await window.webview('fineTune')).setting('model').locator('select');
  await until('the open panel has chosen it', async () => (await model.inputValue()).endsWith('tiny-llama'));
});

test('a model that another program has put here meanwhile is there when the user comes back', async () => {
  const { window } = bed;
  await window.lookAway();
  cpSync('test/fixtures/models/tiny-llama', bed.path('models/downloaded-llama'), { recursive: true });
  await window.comeBack();
  await window.treeRow('Models', 'downloaded-llama').waitFor();
});

/** Toasts come and go; the list of notifications keeps their messages. */
async function said(text: string): Promise<void> {
  await bed.window.command('Notifications: Show Notifications');
  await bed.window.page.locator('.notifications-center .notification-list-item', { hasText: text }).waitFor();
}

/** The settings of the user and of the machine. */
function settings(): string {
  const files = ['User', 'Machine'].map((kind) => join(bed.root, 'user-data', kind, 'settings.json'));
  return files
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('\n');
}
