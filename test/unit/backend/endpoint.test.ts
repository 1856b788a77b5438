/** The endpoint as the extension starts it: in a process of its own, which ends with the backend. */
import { resolve } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CancellationTokenSource } from 'vscode-languageserver/node';
import { BackendUnderTest, until } from './client.js';

let backend: BackendUnderTest;
beforeEach(async () => {
  backend = new BackendUnderTest();
  await backend.initialize({ device: 'cpu' });
});
afterEach(() => backend.stop());

const params = {
  model: resolve('test/fixtures/models/tiny-llama'),
  adapters: [{ path: resolve('test/golden/training/tiny-llama-final'), name: 'trained' }],
  port: 0,
  apiKey: 'a key of the tests',
};
const start = () => backend.request('loraWorkbench/endpoint/start', params);

async function ask(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${params.apiKey}` },
    body: JSON.stringify({ model: 'trained', messages: [{ role: 'user', content: 'Say 1.' }], temperature: 0, max_tokens: 3 }),
  });
  return ((await response.json()) as { model: string }).model;
}

const isGone = (url: string) =>
  fetch(`${url}/health`).then(
    () => false,
    () => true,
  );

async function untilGone(url: string): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await isGone(url))) {
    if (Date.now() > deadline) throw new Error(`${url} still answers.`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

test('answers until it is stopped, and again when it is started again', async () => {
  const { url, models } = await start();
  expect(models).toEqual(['tiny-llama', 'trained']);
  expect(await ask(url)).toBe('trained');
  const second = await start();
  await untilGone(url);
  expect(await ask(second.url)).toBe('trained');
  await backend.request('loraWorkbench/endpoint/stop', null);
  await untilGone(second.url);
});

test('that its process ended by itself is told, an end that was asked for is not', async () => {
  const ends: string[] = [];
  backend.on('loraWorkbench/endpoint/ended', ({ message }) => ends.push(message));
  await start();
  await backend.request('loraWorkbench/endpoint/stop', null);
  await start();
  process.kill(backend.children().at(-1)!, 'SIGKILL');
  await until('the end is told', () => ends.length > 0);
  expect(ends).toEqual(['The endpoint for other tools has ended (SIGKILL). Is there enough memory?']);
});

test('ends with the backend, however that ends', async () => {
  const { url } = await start();
  backend.kill();
  await untilGone(url);
});

test('what keeps it from starting is said, and a start can be cancelled', async () => {
  const unfit = { ...params, adapters: [{ path: resolve('test/golden/adapters/one-layer'), name: 'other' }] };
  await expect(backend.request('loraWorkbench/endpoint/start', unfit)).rejects.toThrow('one-layer');
  await until('its process has ended', () => backend.children().length === 0);
  const cancel = new CancellationTokenSource();
  const starting = backend.request('loraWorkbench/endpoint/start', params, cancel.token);
  await until('its process has begun', () => backend.children().length > 0);
  cancel.cancel();
  await expect(starting).rejects.toThrow();
  await until('its process has ended', () => backend.children().length === 0);
});
