/** @file Adapters leave VS Code as files for other programs, and are merged with each other. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readAdapterFolder } from '../../src/files/adapterFolder.js';
import { openModel } from '../../src/files/openModel.js';
import { copyRun, trainAdapter } from './harness/adapter.js';
import { type TestBed, testBed } from './harness/workspace.js';

const bed = testBed({ prepare });

/** Two runs with the same adapter. */
function prepare(files: TestBed): void {
  trainAdapter(files);
  copyRun(files, 'second');
}

test('an adapter is exported merged into one GGUF file, which says the same as base and adapter', async () => {
  const { window } = bed;
  await window.commandOn('LoRA Workbench: Export Adapter…', 'contrary');
  await window.pick('Merged model, GGUF');
  await window.pick('q8_0');
  await window.answerFileDialog(bed.workspace);
  await window.notification(/Exported to .*puts the same token first at \d+ of \d+ places/);
  const [file] = readdirSync(bed.workspace).filter((name) => name.endsWith('-q8_0.gguf'));
  const { weights } = openModel(join(bed.workspace, file!));
  expect(weights.info('model.layers.0.self_attn.q_proj.weight')).toMatchObject({ storedType: 'Q8_0' });
  weights.close();
});

test('two adapters selected in the tree are merged with weights, and the sum is an adapter like any other', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.treeRow('Adapters', /second/).click();
  await window.treeRow('Adapters', /contrary/).click({ modifiers: ['Control'] });
  await window.contextMenu(window.treeRow('Adapters', /contrary/), 'Merge Adapters…');
  await window.answer(/How much of each/, '0.75 0.25');
  await window.answer(/The largest rank/, '4');
  await window.answer(/A name for the new adapter/, 'sum');
  await window.notification(/Its rank is 4, which keeps \d+\.\d % of the energy/);
  await window.treeRow('Adapters', /^sum/).waitFor();
  expect(existsSync(bed.path('runs/sum/adapter_config.json'))).toBe(true);
  expect(readAdapterFolder(bed.path('runs/sum')).lora.r).toBe(4);
});
