import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CancellationTokenSource, LSPErrorCodes } from 'vscode-languageserver/node';
import type { WorkProgress } from '../../../src/protocol/backend.js';
import { readAdapterFolder } from '../../../src/files/adapterFolder.js';
import { BackendUnderTest, until } from './client.js';

let backend: BackendUnderTest;
const told: WorkProgress[] = [];
beforeEach(async () => {
  told.length = 0;
  backend = new BackendUnderTest();
  await backend.initialize();
  backend.on('loraWorkbench/work/progress', (progress) => told.push(progress));
});
afterEach(() => backend.stop());

test('adapters are merged in a process that ends with the work; errors arrive as sentences', async () => {
  const adapters = ['first', 'second'].map((name) => ({ path: resolve('test/golden/merging', name), weight: 1 }));
  const request = { workId: '7', adapters, rank: 2, out: join(backend.folder, 'merged') };
  const { loss } = await backend.request('loraWorkbench/adapters/merge', request);
  expect(loss!.energyKept).toBeGreaterThan(0.5);
  expect(readAdapterFolder(request.out).lora.r).toBe(2);
  expect(told.at(-1)).toEqual({ workId: '7', stage: 'merging', done: 10, total: 10 });
  await expect(backend.request('loraWorkbench/adapters/merge', request)).rejects.toThrow(/merged exists already/);
  if (process.platform === 'linux') await until('the worker has ended', () => backend.children().length === 0);
});

const request = (to: 'merged' | 'gguf', out: string) => ({
  workId: '1',
  model: resolve('test/fixtures/models/tiny-llama'),
  adapter: resolve('test/golden/training/tiny-llama-final'),
  to,
  dtype: null,
  strength: 1,
  out: join(backend.folder, out),
});

test('an adapter is exported with progress in both stages, and the comparison comes with the result', async () => {
  const { parity, files } = await backend.request('loraWorkbench/export', request('merged', 'out'));
  expect(parity.relativeDifference).toBeLessThan(parity.tolerance);
  expect(files.every((file) => existsSync(file))).toBe(true);
  expect([...new Set(told.map(({ stage }) => stage))]).toEqual(['writing', 'checking']);
});

test('cancelled, an export leaves nothing behind and is no error of ours', async () => {
  const cancel = new CancellationTokenSource();
  const exporting = backend.request('loraWorkbench/export', request('gguf', 'out.gguf'), cancel.token);
  cancel.cancel();
  await expect(exporting).rejects.toMatchObject({ code: LSPErrorCodes.RequestCancelled });
  expect(readdirSync(backend.folder).filter((name) => name.includes('out'))).toEqual([]);
  expect(backend.log).toBe('');
});
