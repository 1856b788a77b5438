import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Diagnostic } from 'vscode-languageserver/node';
import { BackendUnderTest, until } from './client.js';

let folder: string;
let backend: BackendUnderTest;
let looks: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'model-in-use-'));
  looks = join(folder, 'looks.txt');
  appendFileSync(looks, '');
  // Records every folder that is searched for models.
  const hook = join(folder, 'hook.cjs');
  writeFileSync(
    hook,
    `const { appendFileSync, promises } = require('node:fs');
     const { readdir } = promises;
     promises.readdir = (path, ...rest) => {
       appendFileSync(${JSON.stringify(looks)}, path + '\\n');
       return readdir(path, ...rest);
     };`,
  );
  backend = new BackendUnderTest({ NODE_OPTIONS: `--require ${JSON.stringify(hook)}` });
});
afterEach(() => {
  backend.stop();
  rmSync(folder, { recursive: true });
});

const foldersRead = () => readFileSync(looks, 'utf8').split('\n').length - 1;

test('whoever types in a data file while there are no runs has the folders searched once, and again when the models are listed', async () => {
  const workspace = join(folder, 'workspace');
  for (let index = 0; index < 20; index++) mkdirSync(join(workspace, `folder-${index}`), { recursive: true });
  await backend.initialize({ modelFolders: [{ path: workspace, source: 'workspace' }] });
  const reports: number[] = [];
  backend.connection.onNotification('textDocument/publishDiagnostics', (report: { diagnostics: Diagnostic[] }) => {
    reports.push(report.diagnostics.length);
  });
  const uri = 'file:///data/answers.jsonl';
  const broken = '{"instruction": \n';
  await backend.connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'json', version: 1, text: `{"text": "a"}\n${broken}` },
  });
  await until('the first report', () => reports.length === 1);
  const once = foldersRead();
  expect(once).toBeGreaterThanOrEqual(21);
  for (let version = 2; version <= 4; version++) {
    await backend.connection.sendNotification('textDocument/didChange', {
      textDocument: { uri, version },
      contentChanges: [{ text: `{"text": "a"}\n${broken.repeat(version)}` }],
    });
    await until('a report', () => reports.length === version);
  }
  expect(reports).toEqual([1, 2, 3, 4]);
  expect(foldersRead()).toBe(once);

  await backend.request('loraWorkbench/models/list', null);
  expect(foldersRead()).toBe(2 * once);
});
