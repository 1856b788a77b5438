/** @file An adapter is evaluated: the command shows progress, then a report, in which cases are opened and found in their files. */
import { readFileSync } from 'node:fs';
import type { Frame, Locator } from 'playwright-core';
import { expect, test } from 'vitest';
import { trainRun } from './harness/adapter.js';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ prepare });

const names = ['width', 'height', 'depth', 'weight', 'price', 'count', 'level', 'speed', 'range', 'score', 'ratio', 'total'];

/** Small files of a style of their own, some of which are held out, and unrelated code for the control. */
function prepare(files: TestBed): void {
  for (const [index, name] of names.entries()) {
    const other = names[(index + 5) % names.length]!;
    files.write(`code/${name}.py`, sourceAbout(name, other));
    files.write(`unrelated/${name}.py`, `import ${name}\n\nfor item in ${name}.items():\n    print(item, "${other}")\n`);
  }
  trainRun(files, 'code', {
    model: files.path('models/tiny-llama'),
    data: { path: files.path('code'), format: 'code', eval_fraction: 0.4, max_seq_length: 64 },
    lora: { r: 8, alpha: 16, target_modules: ['q_proj', 'v_proj', 'down_proj'] },
    train: { max_steps: 12, batch_size: 4, learning_rate: 5e-3, sample_prompts: 0 },
  });
}

function sourceAbout(name: string, other: string): string {
  return [
    `class ${name[0]!.toUpperCase()}${name.slice(1)}:`,
    `    def read_${name}(self, ${other}):`,
    `        if self.${name} < 0:`,
    `            raise ValueError("${name}", self.${name})`,
    `        self.${other} = max(self.${name}, ${other})`,
    `        return self.${name} + self.${other}`,
    '',
  ].join('\n');
}

function chosenKind(report: Frame): Locator {
  return report.locator('label', { hasText: 'Asked for' }).locator('select');
}

test('from the command to the report, a case and its place in the file', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Evaluate Inline Completion…');
  await window.pick('Train one on a folder of unrelated code');
  await window.answerFileDialog(bed.path('unrelated'));
  await window.command('Notifications: Show Notifications');
  const progress = window.page.locator('.notifications-center .notification-list-item', {
    hasText: 'Evaluating code · tiny-llama · r8',
  });
  await progress.first().waitFor();

  const report = await window.webview('completionReport');
  await says(report.locator('.report-headline h1'), /^The adapter .* the control .* \(95 % interval .* to .*\)\.$/);
  await says(report.locator('.banner'), /Not enough data: with \d+ positions/);
  expect(await report.locator('.report-table').first().locator('thead th').allTextContents()).toEqual([
    'base',
    'control',
    'code · tiny-llama · r8',
  ]);
  await until('the plots are drawn', () =>
    report
      .locator('.dot-area canvas')
      .first()
      .evaluate((canvas) => canvas.clientHeight > 100),
  );
  await window.screenshot('completion-report');

  await chosenKind(report).selectOption('Call arguments');
  const shown = report.locator('.case').first();
  const place = /(\w+\.py):(\d+)/.exec((await shown.locator('.case-place').textContent())!)!;
  await shown.locator('summary').click();
  const asked = (await shown.locator('mark').textContent())!;
  await window.screenshot('completion-report-case');
  await shown.getByRole('button', { name: 'Show in File' }).click();
  const [, file = '', line = ''] = place;
  const editor = window.page.locator(`.editor-instance .monaco-editor[data-uri$="/code/${file}"]`);
  await editor.waitFor();
  await window.statusBar(`Ln ${line}, Col `).waitFor();
  expect(readFileSync(bed.path('code', file), 'utf8').split('\n')[Number(line) - 1]).toContain(asked);
});

test('after the window was reloaded, the menu of the run shows the report again, as it is on disk', async () => {
  const { window } = bed;
  await window.reload();
  await window.command('LoRA Workbench: Open Training Monitor');
  await window.contextMenu(window.treeRow('Runs', 'code · tiny-llama · r8'), 'Show Completion Report');
  await (await window.webview('completionReport')).locator('.report-headline h1').waitFor();
});
