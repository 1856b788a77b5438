/** @file In a Chinese VS Code, the extension is Chinese, and so are the messages of its processes. */
import { expect, test } from 'vitest';
import { says, type TestBed, testBed, until } from './harness/workspace.js';

const bed = testBed({ language: 'zh-cn', prepare });

function prepare(files: TestBed): void {
  files.write('lessons.jsonl', `${JSON.stringify({ text: 'def add(left: int)' })}\n{"text": "unfinished\n`);
  const config = { model: 'models/tiny-llama', data: { path: 'nowhere.jsonl' } };
  files.write('trial.run.json', JSON.stringify({ ...config, lora: { rank: 4 } }, null, 2));
  files.write('second.run.json', JSON.stringify(config));
}

test('help in a data file', async () => {
  const editor = await bed.window.openFile('lessons.jsonl');
  await editor.locator('.codelens-decoration a', { hasText: '用此文件微调（1 个样本）' }).waitFor();
  await until('a squiggle', async () => (await editor.locator('.squiggly-error').count()) === 1);
  expect(await bed.window.hover(editor.getByText('unfinished'))).toContain('此样本会被跳过：不是有效的 JSON');
});

test('help in run.json', async () => {
  const editor = await bed.window.openFile('trial.run.json');
  await editor.locator('.squiggly-warning, .squiggly-info').first().waitFor();
  expect(await bed.window.hover(editor.getByText('"rank"'))).toContain('lora.rank 不是已知的设置；是否指 lora.r');
});

test('what the worker that reads the data finds missing', async () => {
  await bed.window.openFile('second.run.json');
  await bed.window.command('LoRA Workbench: 在微调面板中打开');
  const panel = await bed.window.webview('fineTune');
  await panel.getByRole('tab', { name: '数据' }).click();
  await says(panel.locator('main'), /nowhere\.jsonl 不存在。/);
});

test('what Doctor reports', async () => {
  await bed.window.command('LoRA Workbench: 运行环境检查');
  await says(
    bed.window.page.locator('.monaco-editor .view-lines', { hasText: 'Node.js' }),
    /处理器.*执行提供程序.*可以加载 ONNX Runtime。/s,
  );
});
