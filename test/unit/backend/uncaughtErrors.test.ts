import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BackendUnderTest, until } from './client.js';

let folder: string;
let trigger: string;
let backend: BackendUnderTest;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'survival-'));
  trigger = join(folder, 'now');
  // A bug that waits until the server is at work.
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `const { existsSync, rmSync } = require('node:fs');
     if (process.argv.includes('--stdio')) {
       setInterval(() => {
         if (!existsSync(${JSON.stringify(trigger)})) return;
         rmSync(${JSON.stringify(trigger)});
         Promise.reject(new Error('a promise that fails'));
         throw new Error('a timer that fails');
       }, 20);
     }`,
  );
  backend = new BackendUnderTest({ NODE_OPTIONS: `--require ${JSON.stringify(hook)}` });
});
afterEach(() => {
  backend.stop();
  rmSync(folder, { recursive: true });
});

test('a timer and a promise that fail end in the log, and the server goes on', async () => {
  await backend.initialize();
  writeFileSync(trigger, '');
  await until(
    'the stacks',
    () => /a timer that fails\n +at /.test(backend.log) && /a promise that fails\n +at /.test(backend.log),
  );
  expect((await backend.request('loraWorkbench/runs/list', null)).runs).toEqual([]);
  expect(backend.exitCode).toBe(null);
});

test('a server whose client is gone ends', async () => {
  await backend.initialize();
  backend.hangUp();
  await until('its end', () => backend.exitCode !== null);
});
