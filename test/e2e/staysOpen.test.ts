/** @file A panel that stays open: VS Code closes documents nobody shows after three minutes, and the form must not notice. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

const name = 'trial.run.json';
const text = `{
  // a comment
  "model": "models/tiny-llama",
  "lora": { "r": 8 }
}
`;
const minutesOpen = 4;

function prepare(files: TestBed): void {
  files.write(name, text);
}

test(
  'four minutes after it was opened, the form still edits the file',
  async () => {
    const { window } = bed;
    await window.openFile(name);
    await window.command('LoRA Workbench: Open in Fine-Tune Panel');
    const panel = new FineTunePanel(await window.webview('fineTune'));
    await until('the rank', async () => (await panel.value('lora.r')) === '8');
    await window.closeTab(name);
    await sleep(minutesOpen * 60_000);
    for (const rank of [4, 16, 2]) {
      await panel.fill('lora.r', rank);
      await until('the file has it', () => readFileSync(bed.path(name), 'utf8') === text.replace('"r": 8', `"r": ${rank}`));
      expect(await panel.value('lora.r')).toBe(String(rank));
    }
  },
  (minutesOpen + 2) * 60_000,
);
