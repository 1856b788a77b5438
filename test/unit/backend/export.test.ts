import { join, resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
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
