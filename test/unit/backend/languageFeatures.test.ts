/** @file What the language server does in editors: help in data files, and ghost text. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CancellationTokenSource,
  type CodeLens,
  type Diagnostic,
  type Hover,
  type InlineCompletionItem,
  type Registration,
} from 'vscode-languageserver/node';
import type { CompletionSettings, CompletionStatus } from '../../../src/protocol/backend.js';
import { writeCodeModel } from '../codeModel.js';
import { BackendUnderTest, until } from './client.js';

let backend: BackendUnderTest;
const registered: Registration[] = [];
const diagnostics = new Map<string, readonly Diagnostic[]>();
beforeEach(async () => {
  backend = new BackendUnderTest();
  registered.length = 0;
  diagnostics.clear();
  await backend.initialize();
  const { connection } = backend;
  connection.onRequest('client/registerCapability', ({ registrations }: { registrations: Registration[] }) => {
    registered.push(...registrations);
    return null;
  });
  connection.onRequest('client/unregisterCapability', ({ unregisterations }: { unregisterations: Registration[] }) => {
    for (const { id } of unregisterations)
      registered.splice(
        registered.findIndex((one) => one.id === id),
        1,
      );
    return null;
  });
  connection.onNotification('textDocument/publishDiagnostics', (report: { uri: string; diagnostics: Diagnostic[] }) => {
    diagnostics.set(report.uri, report.diagnostics);
  });
});
afterEach(() => backend.stop());

const model = join(process.cwd(), 'test/fixtures/models/tiny-llama');

async function open(name: string, text: string, languageId = 'json'): Promise<string> {
  const uri = `file:///data/${name}`;
  await backend.connection.sendNotification('textDocument/didOpen', { textDocument: { uri, languageId, version: 1, text } });
  return uri;
}

test('broken, incomplete and over-long examples are marked, a hover counts tokens, a lens counts examples', async () => {
  const example = (output: string) => JSON.stringify({ instruction: 'Say it.', input: '', output });
  const lines = [
    example('It.'),
    '{"instruction": "cut off',
    JSON.stringify({ instruction: 'No output' }),
    example('word '.repeat(400)),
  ];
  const uri = await open('answers.jsonl', `${lines.join('\n')}\n`);
  const found = await until('diagnostics', () => diagnostics.get(uri));
  expect(found.map(({ range, severity }) => [range.start.line, severity])).toEqual([
    [1, 1],
    [2, 1],
    [3, 2],
  ]);
  expect(found[2]!.message).toMatch(/^This example has \d+ tokens; at data\.max_seq_length 256 its last \d+ are cut off\.$/);

  const at = (line: number) => ({ textDocument: { uri }, position: { line, character: 3 } });
  const hover = await backend.connection.sendRequest<Hover>('textDocument/hover', at(0));
  expect(hover.contents).toEqual({ kind: 'plaintext', value: expect.stringMatching(/^\d+ tokens$/) });
  expect(await backend.connection.sendRequest('textDocument/hover', at(1))).toBe(null);

  const [lens] = await backend.connection.sendRequest<CodeLens[]>('textDocument/codeLens', { textDocument: { uri } });
  expect(lens!.command).toEqual({
    title: 'Fine-tune on this file (2 examples)',
    command: 'loraWorkbench.fineTuneFile',
    arguments: [uri],
  });

  await backend.connection.sendNotification('textDocument/didChange', {
    textDocument: { uri, version: 2 },
    contentChanges: [{ text: lines[0] }],
  });
  await until('nothing is wrong any more', () => diagnostics.get(uri)?.length === 0);
});

test('other JSON is left alone', async () => {
  const uri = await open('settings.json', '{ "editor.fontSize": 12 }');
  const data = await open('data.jsonl', '{"text": "some words to learn"}\n');
  await until('the data file was looked at', () => diagnostics.has(data));
  expect(diagnostics.has(uri)).toBe(false);
  expect(await backend.connection.sendRequest('textDocument/codeLens', { textDocument: { uri } })).toEqual([]);
});

const completion: CompletionSettings = {
  model,
  adapter: null,
  adapterStrength: 1,
  languages: ['python'],
  mode: 'line',
  fillInTheMiddle: 'auto',
  debounceMs: 0,
  maxNewTokens: 24,
  retrieval: false,
};
const signature = 'def add(left: int, right: int) -> int:';

test('ghost text is registered for the chosen languages while it is on, and tells how long it took', async () => {
  const statuses: CompletionStatus[] = [];
  backend.on('loraWorkbench/completion/status', (status) => statuses.push(status));
  const offered = () => registered.filter(({ method }) => method === 'textDocument/inlineCompletion');
  expect(offered()).toEqual([]);
  await backend.request('loraWorkbench/completion/configure', completion);
  expect(offered()).toMatchObject([{ registerOptions: { documentSelector: [{ language: 'python' }] } }]);

  const uri = await open('a.py', signature, 'python');
  expect(await suggestAt(uri, signature.length)).toMatchObject([{ insertText: '\n    return left + right' }]);
  expect(statuses.at(-1)).toEqual({
    kind: 'ready',
    last: {
      latencyMs: expect.any(Number),
      fillInTheMiddle: null,
      retrieved: 0,
      engine: expect.stringMatching(/^CPU/),
      warning: null,
    },
  });

  const line = 'def add()';
  const inBrackets = await open('b.py', line, 'python');
  const [item] = await suggestAt(inBrackets, line.length - 1);
  expect(item).toMatchObject({
    insertText: expect.stringMatching(/^left.*:$/),
    range: { end: { line: 0, character: line.length } },
  });

  await backend.request('loraWorkbench/completion/configure', { ...completion, model: null });
  expect(offered()).toEqual([]);
  expect(statuses.at(-1)).toEqual({ kind: 'off' });
  expect(await suggestAt(uri, signature.length)).toEqual([]);
});

test('a model that has learned it fills in the middle, in the format of its vocabulary or the chosen one', async () => {
  const code = join(backend.folder, 'code');
  writeCodeModel(code, ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|repo_name|>', '<|file_sep|>']);
  let asked = 0;
  backend.connection.onRequest('workspace/workspaceFolders', () => {
    asked++;
    return [{ uri: 'file:///data', name: 'data' }];
  });
  let status: CompletionStatus = { kind: 'off' };
  backend.on('loraWorkbench/completion/status', (latest) => (status = latest));
  const uri = await open('a.py', signature, 'python');
  const markers = { prefix: '# before', suffix: '# behind' };
  for (const [fillInTheMiddle, name] of [
    ['auto', 'qwen'],
    ['none', null],
    [markers, 'custom'],
  ] as const) {
    await backend.request('loraWorkbench/completion/configure', { ...completion, model: code, fillInTheMiddle });
    await suggestAt(uri, signature.length - 1);
    expect(status).toMatchObject({ kind: 'ready', last: { fillInTheMiddle: name } });
  }
  expect(asked).toBe(3);
});

test('similar parts of other files are told while it is on, and follow the files; never those of the file itself, or a secret', async () => {
  const code = join(backend.folder, 'code');
  writeCodeModel(code, ['<|fim_prefix|>', '<|fim_suffix|>', '<|fim_middle|>', '<|repo_name|>', '<|file_sep|>']);
  const workspace = join(backend.folder, 'workspace');
  mkdirSync(workspace);
  const write = (name: string, text: string) => writeFileSync(join(workspace, name), text);
  const uri = pathToFileURL(join(workspace, 'a.py')).href;
  write('.gitignore', 'built.py\n');
  for (const name of ['a.py', 'built.py', 'package-lock.json']) write(name, `${signature}\n`);
  write('key.py', `${signature}\n    token = "ghp_${'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx'}"\n`);
  const { connection } = backend;
  connection.onRequest('workspace/workspaceFolders', () => [{ uri: pathToFileURL(workspace).href, name: 'workspace' }]);
  const told: number[] = [];
  backend.on('loraWorkbench/completion/status', (status) => {
    if (status.kind === 'ready' && status.last) told.push(status.last.retrieved);
  });
  await connection.sendNotification('textDocument/didOpen', {
    textDocument: { uri, languageId: 'python', version: 1, text: signature },
  });
  const toldUntil = async (count: number) => {
    for (let asked = 0; told.at(-1) !== count; asked++) {
      if (asked === 200) throw new Error(`Told ${told.join()} parts.`);
      await suggestAt(uri, signature.length - 1);
      await new Promise((done) => setTimeout(done, 50));
    }
  };
  const request = { ...completion, model: code, maxNewTokens: 1 };
  await backend.request('loraWorkbench/completion/configure', { ...request, retrieval: true });
  expect(registered.some(({ method }) => method === 'workspace/didChangeWatchedFiles')).toBe(true);
  const otherUri = pathToFileURL(join(workspace, 'other.py')).href;
  write('other.py', 'def add(left: int, right: int) -> int:\n    return left + right\n');
  await connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: otherUri, type: 1 }] });
  await toldUntil(1);
  expect(new Set(told)).toEqual(new Set(told.length > 1 ? [0, 1] : [1]));
  rmSync(join(workspace, 'other.py'));
  await connection.sendNotification('workspace/didChangeWatchedFiles', { changes: [{ uri: otherUri, type: 3 }] });
  await toldUntil(0);

  const processes = backend.children().length;
  await backend.request('loraWorkbench/completion/configure', request);
  expect(registered.some(({ method }) => method === 'workspace/didChangeWatchedFiles')).toBe(false);
  await until('the index is gone', () => backend.children().length === processes - 1);
});

test('a format of fill-in-the-middle that the model cannot read is a status that says so', async () => {
  let status: CompletionStatus = { kind: 'off' };
  backend.on('loraWorkbench/completion/status', (latest) => (status = latest));
  await backend.request('loraWorkbench/completion/configure', { ...completion, fillInTheMiddle: 'mellum' });
  const uri = await open('a.py', signature, 'python');
  expect(await suggestAt(uri, signature.length)).toEqual([]);
  expect(status).toEqual({ kind: 'failed', message: expect.stringMatching(/cannot read .*"mellum".* lacks <fim_prefix>/) });
});

test('the next key during the pause calls the suggestion off before anything is computed', async () => {
  const statuses: CompletionStatus[] = [];
  await backend.request('loraWorkbench/completion/configure', { ...completion, debounceMs: 300 });
  backend.on('loraWorkbench/completion/status', (status) => statuses.push(status));
  const uri = await open('a.py', signature, 'python');
  const { connection } = backend;
  const cancel = new CancellationTokenSource();
  const first = connection
    .sendRequest('textDocument/inlineCompletion', inlineParams(uri, signature.length), cancel.token)
    .catch(() => []);
  cancel.cancel();
  expect(await first).toEqual([]);
  expect(statuses).toEqual([]);
});

test('an adapter that cannot be read is a status, not a message in the way', async () => {
  let status: CompletionStatus = { kind: 'off' };
  backend.on('loraWorkbench/completion/status', (latest) => (status = latest));
  await backend.request('loraWorkbench/completion/configure', { ...completion, adapter: join(backend.folder, 'nowhere') });
  const uri = await open('a.py', signature, 'python');
  expect(await suggestAt(uri, signature.length)).toEqual([]);
  expect(status).toEqual({ kind: 'failed', message: expect.stringContaining('nowhere') });
});

function inlineParams(uri: string, character: number) {
  return { textDocument: { uri }, position: { line: 0, character }, context: { triggerKind: 1 } };
}

function suggestAt(uri: string, character: number): Promise<InlineCompletionItem[]> {
  return backend.connection.sendRequest('textDocument/inlineCompletion', inlineParams(uri, character));
}
