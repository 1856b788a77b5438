import { expect, test } from 'vitest';
import type { CancellationToken } from 'vscode';
import { PromptBatch } from '../../../src/extension/promptBatch.js';
import { parsePrompts, UnreadableLine } from '../../../src/extension/promptFile.js';
import type { TextStreams } from '../../../src/extension/textStreams.js';
import { variantRequest } from '../../../src/extension/variantRequest.js';
import type { GenerateParams } from '../../../src/protocol/backend.js';
import type { PlaygroundRequest, ToPlayground } from '../../../src/protocol/views/playground.js';

const sampling = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1 };
const request: PlaygroundRequest = {
  requestId: 3,
  model: 'm',
  left: { adapter: null, strength: 1 },
  right: { adapter: '/runs/a/adapter', strength: 0.5 },
  template: 'auto',
  sampling,
  maxNewTokens: 8,
};

test('a text has a prompt on each line, JSONL prompt or messages, of which the answer is left out', () => {
  expect(parsePrompts('\uFEFFone\r\n\n  two \n', 'text')).toEqual(['one', '  two ']);
  const question = { role: 'user', content: 'Why?' };
  const rows = [
    { prompt: 'one', completion: '1' },
    { messages: [question] },
    { messages: [question, { role: 'assistant', content: 'So.' }] },
  ];
  expect(parsePrompts(rows.map((row) => JSON.stringify(row)).join('\n'), 'jsonl')).toEqual(['one', [question], [question]]);
});

test.each(['{"prompt": "cut', '{"text": "x"}', '{"prompt": ""}', '"x"', '{"messages": []}', '{"messages": [{"role": "user"}]}'])(
  'a line that holds no prompt is named: %s',
  (line) => {
    expect(() => parsePrompts(`{"prompt": "x"}\n\n${line}\n`, 'jsonl')).toThrow(new UnreadableLine(3));
  },
);

test('beside an adapter the base reads what the adapter reads; two adapters each their own', () => {
  expect(variantRequest(request, 'left', 'x')).toMatchObject({
    adapter: null,
    prompt: { kind: 'text', adapter: '/runs/a/adapter' },
  });
  expect(variantRequest(request, 'right', 'x')).toMatchObject({ adapter: '/runs/a/adapter', adapterStrength: 0.5 });
  const two = { ...request, left: { adapter: '/runs/b/adapter', strength: 1 } };
  expect(variantRequest(two, 'left', 'x').prompt).toMatchObject({ adapter: '/runs/b/adapter' });
  expect(variantRequest(two, 'right', 'x').prompt).toMatchObject({ adapter: '/runs/a/adapter' });
});

/** Streams that reply with `answer`. */
function streams(answer: (params: Omit<GenerateParams, 'streamId'>) => string): TextStreams {
  const generate: TextStreams['generate'] = (params, onText) => {
    onText(answer(params));
    return Promise.resolve({ tokens: 1, tokensPerSecond: 1, firstTokenMs: 1, reason: 'end', template: 'none' });
  };
  return { generate } as TextStreams;
}

test('a batch asks both columns about one prompt after another, keeps what failed, and becomes JSONL', async () => {
  const posted: ToPlayground[] = [];
  const batch = new PromptBatch(request, 'q.txt', ['one', [{ role: 'user', content: 'two' }]], (message) => posted.push(message));
  const answer = ({ adapter, prompt }: Omit<GenerateParams, 'streamId'>) => {
    if (prompt.kind === 'chat' && adapter === null) throw new Error('too long');
    return `${adapter ?? 'base'}: ${prompt.kind}`;
  };
  await batch.run(streams(answer), { isCancellationRequested: false } as CancellationToken);
  expect(
    posted.map((message) => (message.type === 'batchAnswer' ? [message.row, message.side, message.answer.kind] : message.type)),
  ).toEqual([[0, 'left', 'text'], [0, 'right', 'text'], [1, 'left', 'failed'], [1, 'right', 'text'], 'batchEnded']);
  expect(batch.state()).toMatchObject({
    running: false,
    rows: [{ prompt: 'one' }, { prompt: 'user: two', left: { message: 'too long' } }],
  });
  const ofAdapter = { model: 'm', adapter: '/runs/a/adapter', strength: 0.5 };
  expect(
    batch
      .jsonLines()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual([
    {
      prompt: 'one',
      answers: [
        { model: 'm', adapter: null, text: 'base: text' },
        { ...ofAdapter, text: '/runs/a/adapter: text' },
      ],
    },
    {
      messages: [{ role: 'user', content: 'two' }],
      answers: [
        { model: 'm', adapter: null, text: null, error: 'too long' },
        { ...ofAdapter, text: '/runs/a/adapter: chat' },
      ],
    },
  ]);
});

test('a batch that is cancelled keeps whole answers only', async () => {
  const token = { isCancellationRequested: false };
  const batch = new PromptBatch(request, 'q.txt', ['one', 'two'], () => undefined);
  const answer = ({ adapter }: Omit<GenerateParams, 'streamId'>) => {
    token.isCancellationRequested = adapter !== null;
    return 'some';
  };
  await batch.run(streams(answer), token as CancellationToken);
  expect(batch.state()).toMatchObject({
    running: false,
    rows: [
      { left: { text: 'some' }, right: null },
      { left: null, right: null },
    ],
  });
});
