/** @file A gated model from a hub on loopback, with a token that is asked for once. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { commitOf, LoopbackHub } from '../support/loopbackHub.js';
import { testBed } from './harness/workspace.js';

const folder = 'test/fixtures/models/tiny-llama';
const files = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name))]));
const card = { license: 'llama3.2' };

let hub: LoopbackHub;
const bed = testBed(async () => {
  hub = await LoopbackHub.start({
    'owner/first': { files, card, gatedFor: 'right-token' },
    'owner/second': { files, card, gatedFor: 'right-token' },
  });
  return { environment: { HF_ENDPOINT: hub.endpoint, HF_TOKEN: '', HF_HOME: '', HF_HUB_CACHE: '' } };
});
afterAll(() => hub?.stop());

test('a gated model asks for a token once, says what comes, and is ready to be fine-tuned', async () => {
  const { page } = bed.window;
  await bed.window.command('LoRA Workbench: Open Training Monitor');
  await chooseOther('owner/first');
  await answerDialog('owner/first is gated', 'Enter Token…');
  await answerInput('Token of the model hub', 'right-token');
  await answerDialog('Licence: llama3.2', 'Download');
  await bed.window.treeRow('Models', 'first').waitFor();
  await bed.window.command('Notifications: Show Notifications');
  const said = page.locator('.notifications-center .notification-list-item', { hasText: 'first is ready to be fine-tuned.' });
  await said.waitFor();
  const snapshot = join(bed.root, '.cache/huggingface/hub/models--owner--first/snapshots', commitOf('owner/first'));
  expect(readFileSync(join(snapshot, 'model.safetensors')).equals(files['model.safetensors']!)).toBe(true);

  await chooseOther('owner/second');
  await answerDialog('model.safetensors', 'Download');
  await bed.window.treeRow('Models', 'second').waitFor();
  const settings = readFileSync(join(bed.root, 'user-data/User/settings.json'), 'utf8');
  expect(settings).not.toContain('right-token');
});

/** Answers both lists of Import Model… and the question for the name. */
async function chooseOther(name: string): Promise<void> {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Import Model…', 'From Hugging Face…');
  const row = window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'Another Model…' });
  await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'SmolLM2-135M-Instruct' }).first().waitFor();
  await window.page.locator('.quick-input-widget input[aria-controls]').first().fill('Another');
  await row.first().click();
  await answerInput('Model on the hub', name);
}

async function answerInput(title: string, text: string): Promise<void> {
  const widget = bed.window.page.locator('.quick-input-widget', { hasText: title });
  await widget.locator('.quick-input-box input').fill(text);
  await bed.window.page.keyboard.press('Enter');
}

async function answerDialog(text: string, button: string): Promise<void> {
  const dialog = bed.window.page.locator('.monaco-dialog-box', { hasText: text });
  await dialog.getByRole('button', { name: button }).click();
}
