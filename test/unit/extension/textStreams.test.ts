import { expect, test } from 'vitest';
import { CancellationTokenSource, LSPErrorCodes, ResponseError } from 'vscode-languageserver/node';
import type { BackendClient } from '../../../src/extension/backendClient.js';
import { TextStreams } from '../../../src/extension/textStreams.js';

const greedy = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1 };
const params = {
  model: 'model',
  adapter: null,
  adapterStrength: 1,
  prompt: { kind: 'text' as const, text: 'What is', template: 'none' as const, adapter: null },
  sampling: greedy,
  maxNewTokens: 8,
};

/** A backend whose language client rejects every request. */
function refusing(error: Error): TextStreams {
  const live = { request: () => Promise.reject(error) };
  return new TextStreams({ handle: () => undefined, ready: () => Promise.resolve(live) } as unknown as BackendClient);
}

test('a stop that comes before the request is sent is no failure', async () => {
  const cancel = new CancellationTokenSource();
  const streams = refusing(new ResponseError(LSPErrorCodes.RequestCancelled, 'Request got cancelled'));
  const summary = streams.generate(params, () => undefined, cancel.token);
  cancel.cancel();
  expect(await summary).toMatchObject({ tokens: 0, reason: 'stopped' });
});

test('a failure that nobody asked for is one', async () => {
  const { token } = new CancellationTokenSource();
  await expect(refusing(new Error('no model')).generate(params, () => undefined, token)).rejects.toThrow('no model');
});
