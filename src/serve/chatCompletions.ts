/** @file POST /v1/chat/completions (https://platform.openai.com/docs/api-reference/chat). */
import { randomUUID } from 'node:crypto';
import type { WrittenToken } from '../core/generate/writeText.js';
import type { ChatMessage, Tokenizer } from '../core/tokenizer/tokenizer.js';
import { encodeMessages, encodePrompt, templateFor } from '../runs/promptTemplate.js';
import { answer, type AnswerFormat } from './answer.js';
import { bodyCheck } from './checkedBody.js';
import type { Exchange } from './exchange.js';
import { refuseUnsupported, samplingOf, samplingProperties, stopsOf, type SamplingFields } from './sampling.js';
import type { Service } from './service.js';
import { finishReasonOf, usageOf } from './usage.js';

interface ChatBody extends SamplingFields {
  readonly model?: string;
  readonly messages: readonly { readonly role: Role; readonly content: string | readonly { readonly text: string }[] }[];
  readonly max_tokens?: number;
  readonly max_completion_tokens?: number;
  /** llama.cpp's word for the same; its editors ask for 0, so that the prompt is in the cache later. */
  readonly n_predict?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly logprobs?: boolean;
  readonly top_logprobs?: number;
}

type Role = 'system' | 'developer' | 'user' | 'assistant';

const textPart = {
  type: 'object',
  properties: { type: { enum: ['text'] }, text: { type: 'string' } },
  required: ['type', 'text'],
};

const checked = bodyCheck<ChatBody>(
  {
    ...samplingProperties,
    model: { type: 'string' },
    messages: {
      type: 'array',
      minItems: 1,
      items: {
        type: 'object',
        properties: {
          role: { enum: ['system', 'developer', 'user', 'assistant'] },
          content: { type: ['string', 'array'], items: textPart },
        },
        required: ['role', 'content'],
      },
    },
    max_tokens: { type: 'integer', minimum: -1 },
    max_completion_tokens: { type: 'integer', minimum: 0 },
    n_predict: { type: 'integer', minimum: -1 },
    stream: { type: 'boolean' },
    stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } } },
    logprobs: { type: 'boolean' },
    top_logprobs: { type: 'integer', minimum: 0, maximum: 20 },
  },
  ['messages'],
);

export async function chatCompletions(exchange: Exchange, service: Service): Promise<void> {
  const given = await exchange.body();
  refuseUnsupported(given);
  const body = checked(given);
  const asked = service.served.get(body.model);
  const messages = body.messages.map(chatMessage);
  const { max_completion_tokens: most = body.max_tokens ?? body.n_predict ?? -1, stream = false } = body;
  await answer(exchange, service, { asked, stream }, ({ tokenizer }) => ({
    request: {
      promptIds: read(tokenizer, messages, asked.adapter),
      sampling: samplingOf(body, 1),
      stop: stopsOf(body),
      maxNewTokens: most < 0 ? Infinity : most,
      ...(body.logprobs ? { topLogprobs: body.top_logprobs ?? 0 } : {}),
    },
    format: chatFormat(asked.name, tokenizer, body.stream_options?.include_usage ?? false),
  }));
}

/** OpenAI renamed the system's messages. */
function chatMessage({ role, content }: ChatBody['messages'][number]): ChatMessage {
  const text = typeof content === 'string' ? content : content.map((part) => part.text).join('');
  return { role: role === 'developer' ? 'system' : role, content: text };
}

/** A single question is put as the adapter's run put its own, which is what `generate` does; a conversation as the base wants it. */
function read(tokenizer: Tokenizer, messages: readonly ChatMessage[], adapter: string | null): readonly number[] {
  const [first, ...others] = messages;
  if (first?.role !== 'user' || others.length > 0) return encodeMessages(tokenizer, messages).ids;
  return encodePrompt(tokenizer, { text: first.content }, templateFor(tokenizer, adapter ?? undefined));
}

function chatFormat(model: string, tokenizer: Tokenizer, tellsUsage: boolean): AnswerFormat {
  const head = { id: `chatcmpl-${randomUUID()}`, created: Math.floor(Date.now() / 1000), model };
  const logprobs = (tokens: readonly WrittenToken[]) =>
    tokens.length > 0 ? { content: tokens.map((token) => logprobOf(token, tokenizer)) } : null;
  const chunk = (delta: object, tokens: readonly WrittenToken[] = [], finish_reason: string | null = null) => ({
    ...head,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: logprobs(tokens), finish_reason }],
    ...(tellsUsage ? { usage: null } : {}),
  });
  return {
    whole: (written, tokens) => ({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: written.text, refusal: null },
          logprobs: logprobs(tokens),
          finish_reason: finishReasonOf(written),
        },
      ],
      usage: usageOf(written),
    }),
    opening: [chunk({ role: 'assistant', content: '' })],
    piece: (content, tokens) => chunk({ content }, tokens),
    closing: (written) => [
      chunk({}, [], finishReasonOf(written)),
      ...(tellsUsage ? [{ ...chunk({}), choices: [], usage: usageOf(written) }] : []),
      '[DONE]',
    ],
  };
}

function logprobOf({ id, logprob, top }: WrittenToken, tokenizer: Tokenizer): object {
  const described = (each: { readonly id: number; readonly logprob: number }) => {
    const token = tokenizer.tokenText(each.id);
    return { token, logprob: each.logprob, bytes: [...Buffer.from(token)] };
  };
  return { ...described({ id, logprob }), top_logprobs: top.map(described) };
}
