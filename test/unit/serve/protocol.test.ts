/** What clients are told: through the official OpenAI client, and as llama.vscode asks. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { completionEnds } from '../../../src/complete/ends.js';
import { greedy } from '../../../src/core/generate/sampling.js';
import type { TextModel } from '../../../src/core/generate/textModel.js';
import { recognizeFillInTheMiddle } from '../../../src/core/tokenizer/fillInTheMiddle.js';
import type { Tokenizer } from '../../../src/core/tokenizer/tokenizer.js';
import { loadModel } from '../../../src/files/loadModel.js';
import { loadTextModel } from '../../../src/runtime/engine.js';
import { adapterFolder, key, longQuestion, Served } from './served.js';

let served: Served;
let client: OpenAI;
/** The same model, asked directly. */
let direct: TextModel;
let tokens: Tokenizer;
beforeAll(async () => {
  served = await Served.start();
  client = served.client;
  const { weights, tokenizer } = loadModel(served.model);
  tokens = tokenizer;
  direct = await loadTextModel(weights, { device: 'cpu', threads: 1, base_dtype: 'auto' });
});
afterAll(async () => {
  await direct.dispose();
  await served.stop();
});

/** What the command line writes; in the background, because the endpoint is in this process. */
async function generated(
  prompt: string,
  ...options: string[]
): Promise<{ text: string; promptTokens: number; newTokens: number }> {
  const args = [
    'generate',
    '--model',
    served.model,
    '--prompt',
    prompt,
    '--threads',
    '1',
    '--device',
    'cpu',
    '--json',
    ...options,
  ];
  const { stdout } = await promisify(execFile)(process.execPath, ['dist/cli.js', ...args]);
  return JSON.parse(stdout) as never;
}

async function directText(promptIds: readonly number[], maxNewTokens: number): Promise<string> {
  const endIds = completionEnds(tokens, recognizeFillInTheMiddle(tokens)).ids;
  const request = { promptIds, adapter: null, adapterStrength: 1, sampling: greedy, endIds, maxNewTokens };
  return tokens.decode((await direct.generate(request, () => true)).ids, { skipSpecialTokens: true, continuation: true });
}

const question = { messages: [{ role: 'user' as const, content: 'What is the loss?' }], temperature: 0, max_tokens: 24 };

test('the base and every adapter are models', async () => {
  expect((await client.models.list()).data.map(({ id }) => id)).toEqual(['tiny-coder', 'trained']);
  expect(await client.models.retrieve('trained')).toMatchObject({ id: 'trained', object: 'model', parent: 'tiny-coder' });
  expect(await (await fetch(`${served.endpoint.url}/health`)).json()).toEqual({ status: 'ok' });
});

describe('chat', () => {
  test('a greedy answer is the text of the command line, by the base and by the adapter', async () => {
    const answers = [];
    for (const [model, ...options] of [['tiny-coder'], ['trained', '--adapter', adapterFolder]]) {
      const { choices, usage } = await client.chat.completions.create({ ...question, model: model! });
      const expected = await generated('What is the loss?', '--max-new-tokens', '24', ...options);
      expect(choices[0]!.message).toMatchObject({ role: 'assistant', content: expected.text });
      expect(usage).toMatchObject({ prompt_tokens: expected.promptTokens, completion_tokens: expected.newTokens });
      answers.push(expected.text);
    }
    expect(answers[0]).not.toBe(answers[1]);
  });

  test('a stream has the same text in pieces, a role, an end and, if asked for, the usage', async () => {
    const whole = await client.chat.completions.create({ ...question, model: 'trained' });
    const stream = await client.chat.completions.create({
      ...question,
      model: 'trained',
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' });
    const text = chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe(whole.choices[0]!.finish_reason);
    const counts = ({ prompt_tokens, completion_tokens, total_tokens }: OpenAI.CompletionUsage) => [
      prompt_tokens,
      completion_tokens,
      total_tokens,
    ];
    expect(chunks.at(-1)!.choices).toEqual([]);
    expect(counts(chunks.at(-1)!.usage!)).toEqual(counts(whole.usage!));
  });

  test('a conversation is laid out by the model’s template, parts of text and developers included', async () => {
    const messages = [
      { role: 'developer' as const, content: 'Be short.' },
      {
        role: 'user' as const,
        content: [
          { type: 'text' as const, text: 'One ' },
          { type: 'text' as const, text: 'two' },
        ],
      },
    ];
    const { usage, choices } = await client.chat.completions.create({ ...question, messages, model: 'tiny-coder' });
    const text = tokens.applyChatTemplate(
      [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'One two' },
      ],
      { addGenerationPrompt: true },
    );
    const promptIds = [...tokens.encode(text, { addSpecialTokens: false })];
    expect(usage!.prompt_tokens).toBe(promptIds.length);
    const request = { promptIds, adapter: null, adapterStrength: 1, sampling: greedy, endIds: tokens.stopIds, maxNewTokens: 24 };
    const { ids } = await direct.generate(request, () => true);
    expect(choices[0]!.message.content).toBe(tokens.decode(ids, { skipSpecialTokens: true, continuation: true }));
  });

  test('probabilities are the softmax of the model’s logits', async () => {
    const { choices } = await client.chat.completions.create({
      ...question,
      model: 'tiny-coder',
      logprobs: true,
      top_logprobs: 3,
    });
    const told = choices[0]!.logprobs!.content!;
    const text = tokens.applyChatTemplate(question.messages, { addGenerationPrompt: true });
    const logits = await direct.logits([...tokens.encode(text, { addSpecialTokens: false })], null, 1);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const best = [...logits.keys()].sort((a, b) => logits[b]! - logits[a]!).slice(0, 3);
    expect(told[0]!.top_logprobs.map(({ token }) => token)).toEqual(best.map((id) => tokens.tokenText(id)));
    told[0]!.top_logprobs.forEach(({ logprob }, place) => expect(logprob).toBeCloseTo(logits[best[place]!]! - Math.log(sum), 4));
    expect(told[0]).toMatchObject({ token: tokens.tokenText(best[0]!), logprob: told[0]!.top_logprobs[0]!.logprob });
  });
});

/** Requests recorded from Continue (its command line 1.5, and the completion of its VS Code extension), shortened. */
describe('as Continue asks', () => {
  test('chat: with tools that the model may call, and is answered in words', async () => {
    const tool = (name: string) => ({
      type: 'function' as const,
      function: { name, description: `${name}s`, parameters: { type: 'object', required: ['path'], properties: {} } },
    });
    const messages = [
      { role: 'system' as const, content: 'You are an agent. Use the tools available to you.' },
      { role: 'user' as const, content: 'What is the loss?' },
    ];
    const stream = await client.chat.completions.create({
      model: 'trained',
      messages,
      tools: [tool('Read'), tool('List')],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.every(({ choices }) => choices[0]?.delta.tool_calls === undefined)).toBe(true);
    expect(['stop', 'length']).toContain(chunks.at(-2)!.choices[0]!.finish_reason);
    expect(chunks.at(-1)!.usage!.completion_tokens).toBeGreaterThan(0);
  });

  test('completion: the model’s markers are in the prompt as text, and the client leaves after the first line', async () => {
    const [before, after] = ['\n// sum.ts\nexport function add(a, b) {\n  return ', '\n}\n'];
    const prompt = `<|fim_prefix|>${before}<|fim_suffix|>${after}<|fim_middle|>`;
    const stop = ['/src/', '#- coding: utf-8', '```'];
    const controller = new AbortController();
    const request = { model: 'tiny-coder', prompt, stop, max_tokens: 4096, temperature: 0.01 };
    const stream = await client.completions.create({ ...request, stream: true }, { signal: controller.signal });
    let text = '';
    for await (const chunk of stream) {
      text += chunk.choices[0]!.text;
      if (text.length > 0) controller.abort();
    }
    const { usage } = await client.completions.create({ ...request, max_tokens: 1 });
    const ids = (part: string) => tokens.encode(part, { addSpecialTokens: false }).length;
    expect(usage!.prompt_tokens).toBe(tokens.encode('').length + ids(before) + ids(after) + 3);
  });
});

describe('completions', () => {
  const prompt = 'The loss is the mean of';
  const complete = (changes: Partial<OpenAI.CompletionCreateParamsNonStreaming>) =>
    client.completions.create({ model: 'tiny-coder', prompt, temperature: 0, max_tokens: 24, ...changes });

  test('continue the prompt as the command line does, given as text or as ids', async () => {
    const { text } = await generated(prompt, '--template', 'none', '--max-new-tokens', '24');
    expect((await complete({})).choices[0]).toMatchObject({ text, index: 0 });
    expect((await complete({ prompt: [...tokens.encode(prompt)] })).choices[0]!.text).toBe(text);
  });

  test('end before a stop string, of one or several', async () => {
    const { text } = (await complete({})).choices[0]!;
    const stop = text.slice(8, 12);
    const expected = { text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' };
    expect((await complete({ stop })).choices[0]).toMatchObject(expected);
    const stopped = (await complete({ stop: ['never comes', stop], logprobs: 0 })).choices[0]!;
    expect(stopped).toMatchObject(expected);
    expect(stopped.logprobs!.text_offset!.every((offset) => offset < expected.text.length)).toBe(true);
  });

  test('have as many tokens as asked for, 16 by default, each with its place and probability', async () => {
    expect((await client.completions.create({ model: 'tiny-coder', prompt, temperature: 0 })).usage!.completion_tokens).toBe(16);
    const { choices, usage } = await complete({ max_tokens: 5, logprobs: 2 });
    expect(choices[0]!.finish_reason).toBe('length');
    expect(usage!.completion_tokens).toBe(5);
    const { tokens: texts, token_logprobs: own, top_logprobs: top, text_offset: offsets } = choices[0]!.logprobs!;
    expect(texts).toHaveLength(5);
    texts!.forEach((text, index) => {
      expect(choices[0]!.text.slice(offsets![index])).toMatch(new RegExp(`^${text.replace(/[^\w\s]/g, '\\$&')}`));
      expect(Object.keys(top![index]!)).toHaveLength(2);
      expect(Math.max(...Object.values(top![index]!))).toBe(own![index]);
    });
  });

  test('drawn with a seed are the same each time, without one they differ', async () => {
    const drawn = async (seed?: number) =>
      (await complete({ temperature: 1.5, ...(seed === undefined ? {} : { seed }) })).choices[0]!.text;
    expect(await drawn(7)).toBe(await drawn(7));
    expect(await drawn(7)).not.toBe(await drawn(8));
    expect(new Set([await drawn(), await drawn(), await drawn()]).size).toBeGreaterThan(1);
  });

  test('with a suffix are what belongs in between, in the model’s own format', async () => {
    const [before, after] = ['def add(a, b):\n    return ', '\n\nprint(add(1, 2))\n'];
    const id = (token: string) => tokens.tokenId(token)!;
    const ids = (text: string) => tokens.encode(text, { addSpecialTokens: false });
    const promptIds = [
      ...tokens.encode(''),
      id('<|fim_prefix|>'),
      ...ids(before),
      id('<|fim_suffix|>'),
      ...ids(after),
      id('<|fim_middle|>'),
    ];
    const { choices, usage } = await complete({ prompt: before, suffix: after });
    expect(usage!.prompt_tokens).toBe(promptIds.length);
    expect(choices[0]!.text).toBe(await directText(promptIds, 24));
  });
});

describe('infill', () => {
  /** What llama.vscode 0.0.63 sends while somebody types. */
  const request = {
    id_slot: 0,
    input_prefix: 'import math\n\ndef area(radius):\n',
    input_suffix: '\n\nprint(area(2))\n',
    input_extra: [{ filename: 'notes.py', text: 'pi = 3.14\n', time: 1 }],
    prompt: '    return ',
    n_predict: 20,
    n_cmpl: 3,
    n_indent: 4,
    top_k: 40,
    top_p: 0.99,
    stream: false,
    samplers: ['top_k', 'top_p', 'infill'],
    cache_prompt: true,
    t_max_prompt_ms: 500,
    t_max_predict_ms: 2500,
    model: 'tiny-coder',
  };
  const ask = async (changes: object = {}) => (await served.post('/infill', { ...request, ...changes })).json() as Promise<never>;
  interface Told {
    readonly content: string;
    readonly stop: boolean;
    readonly stop_type: string;
    readonly tokens_evaluated: number;
    readonly timings: Record<string, number>;
  }

  test('reads the other files, the text before the cursor and that after it', async () => {
    const id = (token: string) => tokens.tokenId(token)!;
    const ids = (text: string) => tokens.encode(text, { addSpecialTokens: false });
    const promptIds = [
      ...tokens.encode(''),
      ...[id('<|repo_name|>'), ...ids('myproject\n')],
      ...[id('<|file_sep|>'), ...ids('notes.py\n'), ...ids('pi = 3.14\n')],
      ...[id('<|file_sep|>'), ...ids('filename\n')],
      ...[id('<|fim_prefix|>'), ...ids(request.input_prefix + request.prompt)],
      ...[id('<|fim_suffix|>'), ...ids(request.input_suffix)],
      id('<|fim_middle|>'),
    ];
    const told: Told = await ask();
    expect(told).toMatchObject({ stop: true, tokens_evaluated: promptIds.length, content: await directText(promptIds, 20) });
    expect(told.timings).toMatchObject({ predicted_n: expect.any(Number) as number, prompt_ms: expect.any(Number) as number });
  });

  test('streams the same text; the last event says how it ended', async () => {
    const whole: Told = await ask();
    const text = await (await served.post('/infill', { ...request, stream: true })).text();
    const events = text
      .split('\n\n')
      .filter(Boolean)
      .map((event) => JSON.parse(event.replace('data: ', '')) as Told);
    expect(events.map(({ content }) => content).join('')).toBe(whole.content);
    expect(events.map(({ stop }) => stop)).toEqual(events.map((_, index) => index === events.length - 1));
    expect(events.at(-1)).toMatchObject({ stop_type: whole.stop_type });
  });

  test('asked to write nothing, only reads ahead: the next request finds that in the cache', async () => {
    const extra = [{ filename: 'ahead.py', text: 'x = 1\ny = 2\nz = x + y\n'.repeat(6) }];
    // This request names no model, the next one does.
    const ahead = { input_prefix: '', input_suffix: '', prompt: '', input_extra: extra, n_predict: 0, t_max_predict_ms: 1 };
    const warmed = { ...ahead, samplers: [], model: undefined };
    expect(await ask(warmed)).toMatchObject({ content: '', stop: true, timings: { predicted_n: 0 } });
    const next = (await ask({ input_extra: extra, model: 'trained' })) as { tokens_cached: number };
    expect(next.tokens_cached).toBeGreaterThan(50);
  });
});

describe('refusals name what is wrong', () => {
  const chat = (changes: object) => client.chat.completions.create({ ...question, model: 'tiny-coder', ...changes } as never);

  test.each<[object, string, string]>([
    [{ n: 2 }, 'n', 'n is not supported: one answer is written per request.'],
    [{ tool_choice: 'required' }, 'tool_choice', 'tool_choice is not supported: tools are not called.'],
    [{ tool_choice: { type: 'function', function: { name: 'f' } } }, 'tool_choice', 'tools are not called'],
    [{ presence_penalty: 0.5 }, 'presence_penalty', 'use repetition_penalty'],
    [{ response_format: { type: 'json_object' } }, 'response_format', 'answers are text'],
    [{ temperature: -1 }, 'temperature', 'temperature must be >= 0.'],
    [{ top_logprobs: 21 }, 'top_logprobs', 'top_logprobs must be <= 20.'],
    [{ messages: [] }, 'messages', 'messages must NOT have fewer than 1 items.'],
    [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages.0.role', 'system, developer, user, assistant'],
    [{ messages: undefined }, 'messages', 'messages is missing.'],
  ])('%j', async (changes, param, message) => {
    const error = await chat(changes).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, param, message: expect.stringContaining(message) as string });
  });

  test('what asks for nothing is not refused', async () => {
    const harmless = {
      n: 1,
      tools: [],
      tool_choice: 'auto',
      presence_penalty: 0,
      frequency_penalty: 0,
      logit_bias: {},
      stop: null,
      user: 'me',
    };
    const { choices } = await chat({ ...harmless, response_format: { type: 'text' }, top_p: 1, max_tokens: 2 });
    expect(choices).toHaveLength(1);
  });

  test('an unknown model, with those there are', async () => {
    const error = await chat({ model: 'gpt-4' }).catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
    expect((error as Error).message).toContain('Known are: tiny-coder, trained.');
  });

  test('a prompt that is too long, also in a stream that has not begun', async () => {
    const long = { messages: [{ role: 'user', content: 'word '.repeat(3000) }] };
    for (const stream of [false, true]) {
      await expect(chat({ ...long, stream })).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
    }
  });

  test('bodies that are not JSON, or not an object, and other types', async () => {
    for (const body of ['{"messages": [', '[]', '"text"', '', '{"messages": {}}']) {
      const response = await served.post('/v1/chat/completions', body);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    }
    const form = await fetch(`${served.endpoint.url}/v1/completions`, {
      method: 'POST',
      body: '{}',
      headers: { Authorization: `Bearer ${key}` },
    });
    expect(form.status).toBe(415);
  });

  test('paths and methods that do not exist', async () => {
    expect((await served.post('/v1/embeddings', {})).status).toBe(404);
    expect((await served.post('/v1/models', {})).status).toBe(405);
  });
});

test('a client that aborts gets no more, and the model is free again', async () => {
  const stream = await client.chat.completions.create({ ...longQuestion, model: 'tiny-coder', stream: true });
  let pieces = 0;
  for await (const chunk of stream) {
    if (chunk.choices[0]?.delta.content) pieces++;
    if (pieces === 3) stream.controller.abort();
  }
  expect(pieces).toBeLessThan(10);
  await expect(client.chat.completions.create({ ...question, model: 'tiny-coder' })).resolves.toBeDefined();
});
