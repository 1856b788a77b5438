/** @file A backend that cannot start: the trees report that, instead of claiming that nothing is there. */
import { readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { testBed } from './harness/workspace.js';

const bed = testBed();

test('every tree says that the backend did not start, until it does', async () => {
  const { window } = bed;
  const extensions = join(bed.root, 'extensions');
  const ours = readdirSync(extensions).find((name) => name.startsWith('lora-workbench'))!;
  const backend = join(extensions, ours, 'dist', 'backend.js');
  renameSync(backend, `${backend}.whole`);
  writeFileSync(backend, "process.stderr.write('out of order\\n'); process.exit(1);");

  await window.command('LoRA Workbench: Open Training Monitor');
  const said = 'The backend of LoRA Workbench did not start';
  for (const title of ['Runs', 'Adapters', 'Models']) await window.pane(title).getByText(said).waitFor();
  expect(await window.page.getByText(/No (models found|adapters yet|runs yet)/).count()).toBe(0);
  await window.screenshot('broken-backend');

  renameSync(`${backend}.whole`, backend);
  await window.pane('Models').getByText('Restart Backend').click();
  await window.treeRow('Models', 'tiny-llama').waitFor();
  await window.pane('Runs').getByText('No runs yet').waitFor();
  expect(await window.page.getByText(said).count()).toBe(0);
});
