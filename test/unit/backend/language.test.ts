import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { backendRecipe } from '../../../src/extension/backendProcess.js';
import { loadTranslations, translationsVariable } from '../../../src/files/translations.js';
import { t, useTranslations } from '../../../src/l10n/text.js';
import type { ConfigText, RunSummary } from '../../../src/protocol/backend.js';
import { BackendUnderTest, until } from './client.js';

describe('in a Chinese VS Code', () => {
  let backend: BackendUnderTest;
  beforeAll(async () => {
    backend = new BackendUnderTest(backendRecipe(process.cwd(), 'zh-cn').env);
    await backend.initialize({ device: 'cpu' });
  });
  afterAll(() => backend.stop());

  const model = join(process.cwd(), 'test/fixtures/models/tiny-llama');
  const run = (settings: Record<string, unknown>): ConfigText => ({
    config: { model, data: { path: 'data.jsonl', max_seq_length: 128 }, lora: { r: 2 }, ...settings },
    path: join(backend.folder, 'run.json'),
  });
  const write = (...rows: unknown[]) =>
    writeFileSync(join(backend.folder, 'data.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const examples = Array.from({ length: 8 }, (_, i) => ({ instruction: `Say ${i}.`, output: `Here is ${i}.` }));

  test('what is wrong with a config is said in Chinese', async () => {
    const problemOf = async (settings: Record<string, unknown>) => {
      const { check } = await backend.request('loraWorkbench/config/check', run(settings));
      return check.ok ? undefined : check.problems[0]?.message;
    };
    expect(await problemOf({ lora: { r: 0 } })).toBe('lora.r 不得小于 1，而当前为 0');
    expect(await problemOf({ train: { max_steps: 'x' } })).toBe('train.max_steps 必须是整数或 null，而当前为 "x"');
    expect(await problemOf({ train: { lr: 1 } })).toBe('train.lr 不是已知的设置；是否指 train.learning_rate？');
    expect(await problemOf({ data: {} })).toBe(
      '缺少 data.path：数据文件（JSON、JSONL、CSV、Parquet 或文本），由这类文件或源代码文件组成的文件夹，或 Hugging Face Hub 上的数据集：OWNER/NAME、OWNER/NAME@REVISION、OWNER/NAME:CONFIG/SPLIT。',
    );
    expect(await problemOf({ lora: { r: 2, layers: [7] } })).toMatch(/^lora\.layers 指定了第 7 层，但模型的层为 0 到 \d+。$/);
  });

  test('why examples are skipped is said in Chinese by the worker that reads the data', async () => {
    write(...examples, { instruction: 'Say it.' });
    const look = await backend.request('loraWorkbench/data/overview', run({}));
    expect(look.skipped.map(({ reason }) => reason)).toEqual(['缺少 "output"']);
  });

  test('a pre-flight that cannot be is refused in Chinese by its worker, and what it finds is Chinese', async () => {
    const missing = run({ data: { path: 'nowhere.jsonl' } });
    await expect(backend.request('loraWorkbench/preflight', missing)).rejects.toThrow(/nowhere\.jsonl 不存在。$/);
    write(...examples);
    const report = await backend.request(
      'loraWorkbench/preflight',
      run({ data: { path: 'data.jsonl', max_seq_length: 128, eval_fraction: 0 } }),
    );
    expect(report.warnings).toContain('没有留出数据，因此无法察觉过拟合；请设置 data.eval_fraction 或 data.eval_path。');
    expect(report.device).toMatch(/^CPU，\d+ 个线程，\w+ 基础权重$/);
  });

  test('a trainer says in Chinese why it ended', async () => {
    let ended: RunSummary | undefined;
    backend.on('loraWorkbench/runs/event', (event) => {
      if (event.kind === 'changed' && event.run.state.status === 'failed') ended = event.run;
    });
    await backend.request('loraWorkbench/runs/start', run({ data: { path: 'nowhere.jsonl' } }));
    const { state } = await until('the run fails', () => ended);
    expect(state.message).toMatch(/nowhere\.jsonl 不存在。$/);
  });

  test('the Doctor reports in Chinese, in columns', async () => {
    const { report } = await backend.request('loraWorkbench/doctor', null);
    const table = report.split('\n\n')[0]!;
    expect(table).toMatch(/^ {2}LoRA Workbench {2}\d/m);
    expect(table).toMatch(/^ {2}处理器 {10}\S/m);
    expect(table).toMatch(/^ {2}执行提供程序 {4}\S/m);
    expect(report).toContain('✓ 可以加载 ONNX Runtime。');
    expect(report).not.toMatch(/Processor|Memory|Not so|are free/);
  });
});

describe('the bundle that the environment names', () => {
  const folder = mkdtempSync(join(tmpdir(), 'lora-workbench-translations-'));
  const say = () => t`${'/data'} does not exist.`;
  afterEach(() => {
    vi.unstubAllEnvs();
    useTranslations({});
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test('is what is spoken', () => {
    vi.stubEnv(translationsVariable, 'l10n/bundle.l10n.zh-cn.json');
    loadTranslations();
    expect(say()).toBe('/data 不存在。');
  });

  test.each(['{', 'null', '[]', '"text"', '{ "{0} does not exist.": 1 }', undefined])(
    'leaves English where it holds %s',
    (content) => {
      const path = join(folder, 'bundle.json');
      if (content !== undefined) writeFileSync(path, content);
      else rmSync(path, { force: true });
      vi.stubEnv(translationsVariable, path);
      loadTranslations();
      expect(say()).toBe('/data does not exist.');
    },
  );
});
