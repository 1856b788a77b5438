/** @file A malicious workspace: untrusted, it starts nothing and says why; trusted, it is still only displayed, as text. */
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame } from 'playwright-core';
import { expect, test } from 'vitest';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

/** Leaves a trace in any page that treats it as markup. */
const markup = '<img src=x onerror="document.body.dataset.leak=1"><script>document.body.dataset.leak=1</script>';
const hostileName = '<img src=x onerror=alert(1)> [x](command:workbench.action.quit)';

const bed = testBed({ workspaceTrust: true, prepare });

function prepare(files: TestBed): void {
  files.write('../outside/secret.jsonl', `${JSON.stringify({ text: 'a secret' })}\n`);
  files.write('poem.jsonl', `${JSON.stringify({ text: markup })}\n`.repeat(4));
  files.write(
    'outside.run.json',
    JSON.stringify({ model: 'models/linked', data: { path: '../outside/secret.jsonl' }, train: { [markup]: 1 } }),
  );
  files.write('linked.run.json', JSON.stringify({ model: 'models/linked', data: { path: 'poem.jsonl' } }));
  mkdirSync(files.path('models/linked'));
  symlinkSync(join(files.root, 'outside/secret.jsonl'), files.path('models/linked/config.json'));
  symlinkSync(files.path('models/tiny-llama/model.safetensors'), files.path('models/linked/model.safetensors'));
  files.write(`runs/${hostileName}/run.json`, JSON.stringify({ model: markup, data: { path: '../../../outside/secret.jsonl' } }));
  files.write(`runs/${hostileName}/state.json`, JSON.stringify(failedState));
  files.write(`runs/${hostileName}/labels.json`, JSON.stringify({ name: hostileName, tags: [markup], note: markup }));
}

const failedState = {
  status: 'failed',
  step: 1,
  totalSteps: 2,
  epoch: 0,
  pid: null,
  processStart: null,
  device: markup,
  startedAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  bestEvalLoss: null,
  bestStep: null,
  trainableParameters: 1,
  message: markup,
};

test('untrusted, nothing starts, and every view says why', async () => {
  const { window } = bed;
  await window.statusBar('Restricted Mode').waitFor();
  await window.openFile('poem.jsonl');
  await window.openFile('outside.run.json');
  await window.command('LoRA Workbench: Open Training Monitor');
  await says((await window.webview('monitor')).locator('main'), 'In an untrusted workspace nothing is trained');
  for (const view of ['Runs', 'Adapters', 'Models']) await says(window.pane(view), 'waits for your trust');

  await window.command('LoRA Workbench: Fine-Tune…');
  await window.command('Notifications: Show Notifications');
  await window.page.locator('.notifications-center', { hasText: 'This workspace is not trusted' }).waitFor();
  await window.page.waitForTimeout(2000);
  expect(bed.backendPid()).toBe(undefined);
});

test('once trusted it works, and what it holds is shown as text and left alone', async () => {
  const { window } = bed;
  await window.command('Workspaces: Manage Workspace Trust');
  await window.page.locator('.workspace-trust-editor').getByText('Trust', { exact: true }).click();
  await until('a backend', () => bed.backendPid());
  await window.page.locator('[aria-label^="Close Modal Editor"]').click();
  await window.command('LoRA Workbench: Open Training Monitor');
  const monitor = await window.webview('monitor');
  await says(monitor.locator('.run-message'), markup);
  await says(monitor.locator('.run-name'), hostileName);
  await isInert(monitor);

  await window.treeRow('Models', 'tiny-llama').waitFor();
  await window.treeRow('Models', 'linked').waitFor({ state: 'detached' });
  const row = window.treeRow('Runs', hostileName);
  expect(await window.hover(row)).toContain(markup);
  expect(await window.page.locator('.monaco-hover img, .monaco-hover a[href^=command]').count()).toBe(0);
  expect(bed.runs()).toEqual([bed.path('runs', hostileName)]);
  expect(JSON.parse(readFileSync(bed.path('runs', hostileName, 'state.json'), 'utf8'))).toEqual(failedState);
});

test('a run.json that points outside is shown, and refused in clear words', async () => {
  const { window } = bed;
  await window.openFile('outside.run.json');
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  const panel = new FineTunePanel(await window.webview('fineTune'));
  await until('it cannot be started', () => panel.start.isDisabled());
  await panel.showTab('Pre-flight');
  await panel.frame.locator('.preflight').getByRole('button', { name: 'Run Pre-flight' }).click();
  await says(panel.frame.locator('.preflight .error'), /is not a known setting/);
  await isInert(panel.frame);
});

test('a model folder whose links leave it is refused in one message that tells nothing of what they lead to', async () => {
  const { window } = bed;
  await window.openFile('linked.run.json');
  await window.command('LoRA Workbench: Open in Fine-Tune Panel');
  const panel = await panelOf('linked.run.json');
  await panel.showTab('Pre-flight');
  await panel.frame.locator('.preflight').getByRole('button', { name: 'Run Pre-flight' }).click();
  const error = panel.frame.locator('.preflight .error');
  await says(error, bed.path('models/linked/config.json'));
  expect(await error.textContent()).not.toContain('a secret');
});

test('markup in a data file is tokens like others', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = await panelOf('run.json');
  await panel.fill('data.path', bed.path('poem.jsonl'));
  const tokens = await (await panel.examples()).first().locator('.token').allTextContents();
  expect(tokens.join('')).toContain(markup.replaceAll(' ', '·'));
  await isInert(panel.frame);
  expect(bed.runs()).toHaveLength(1);
});

/** The panel that shows this file; the panel before it closes meanwhile. */
function panelOf(name: string): Promise<FineTunePanel> {
  return until(`the panel of ${name}`, async () => {
    const shown = new FineTunePanel(await bed.window.webview('fineTune'));
    return (
      (await shown.frame
        .locator('.document-name')
        .textContent()
        .catch(() => '')) === name && shown
    );
  });
}

/** Checks that nothing of the hostile text has become an element, and that none of it ran. */
async function isInert(page: Frame): Promise<void> {
  expect(await page.locator('img, iframe, script:not([type=module]):not(#_vscodeApiScript)').count()).toBe(0);
  expect(await page.locator('body').getAttribute('data-leak')).toBe(null);
}
