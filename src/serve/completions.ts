/** @file POST /v1/completions (https://platform.openai.com/docs/api-reference/completions); a suffix asks for what belongs before it. */
import { randomUUID } from 'node:crypto';
import { completionEnds } from '../complete/ends.js';
import type { WrittenToken } from '../core/generate/writeText.js';
import { fillInTheMiddleWith } from '../files/taughtMarkers.js';
import { fillInTheMiddlePrompt } from '../core/tokenizer/fillInTheMiddlePrompt.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { answer, type Answer, type AnswerFormat } from './answer.js';
import { bodyCheck } from './checkedBody.js';
import type { Exchange } from './exchange.js';
import { HttpError } from './httpError.js';
import { refuseUnsupported, samplingOf, samplingProperties, stopsOf, type SamplingFields } from './sampling.js';
import type { Service } from './service.js';
import { finishReasonOf, usageOf } from './usage.js';

interface CompletionBody extends SamplingFields {
  readonly model?: string;
  readonly prompt: string | readonly string[] | readonly number[];
  readonly suffix?: string;
  readonly max_tokens?: number;
  readonly stream?: boolean;
  readonly stream_options?: { readonly include_usage?: boolean };
  readonly logprobs?: number;
}

/** OpenAI's. */
const usualMaxTokens = 16;

const checked = bodyCheck<CompletionBody>(
  {
    ...samplingProperties,
    model: { type: 'string' },
    prompt: { type: ['string', 'array'], items: { type: ['string', 'integer'] } },
    suffix: { type: 'string' },
    max_tokens: { type: 'integer', minimum: -1 },
    stream: { type: 'boolean' },
    stream_options: { type: 'object', properties: { include_usage: { type: 'boolean' } } },
    logprobs: { type: 'integer', minimum: 0, maximum: 20 },
  },
  ['prompt'],
);

export async function completions(exchange: Exchange, service: Service): Promise<void> {
  const given = await exchange.body();
  refuseUnsupported(given);
  const body = checked(given);
  const asked = service.served.get(body.model);
  const { max_tokens: most = usualMaxTokens, stream = false, logprobs } = body;
  await answer(exchange, service, { asked, stream }, ({ tokenizer }) => ({
    request: {
      ...read(tokenizer, body, asked.adapter),
      sampling: samplingOf(body, 1),
      maxNewTokens: most < 0 ? Infinity : most,
      ...(logprobs === undefined ? {} : { topLogprobs: logprobs }),
    },
    format: completionFormat(asked.name, tokenizer, body.stream_options?.include_usage ?? false),
  }));
}

function read(
  tokenizer: Tokenizer,
  body: CompletionBody,
  adapter: string | null,
): Pick<Answer['request'], 'promptIds' | 'stop' | 'endIds'> {
  const prompt = onlyPrompt(body.prompt);
  const stop = stopsOf(body);
  if (!body.suffix)
    return { promptIds: typeof prompt === 'string' ? [...tokenizer.encode(prompt)] : known(prompt, tokenizer), stop };
  if (typeof prompt !== 'string') throw new HttpError(400, 'A prompt with a suffix must be text.', { param: 'prompt' });
  const format = fillInTheMiddleWith(adapter, tokenizer);
  if (!format) {
    const message = 'This model has not learned to fill in the middle: leave out the suffix.';
    throw new HttpError(400, message, { code: 'unsupported_parameter', param: 'suffix' });
  }
  const ends = completionEnds(tokenizer, format);
  const promptIds = fillInTheMiddlePrompt(format, tokenizer, { prefix: prompt, suffix: body.suffix })!;
  return { promptIds, stop: [...stop, ...ends.texts], endIds: ends.ids };
}

/** A text, or the ids of one. */
function onlyPrompt(prompt: CompletionBody['prompt']): string | readonly number[] {
  if (typeof prompt === 'string') return prompt;
  if (prompt.every((part) => typeof part === 'number')) return prompt;
  if (prompt.length === 1) return prompt[0] as string;
  throw new HttpError(400, 'One prompt is answered per request.', { code: 'unsupported_parameter', param: 'prompt' });
}

function known(ids: readonly number[], { vocabSize }: Tokenizer): readonly number[] {
  const unknown = ids.find((id) => id < 0 || id >= vocabSize);
  if (unknown === undefined) return ids;
  throw new HttpError(400, `There is no token ${unknown}: this model has ${vocabSize}.`, {
    param: 'prompt',
    code: 'invalid_value',
  });
}

function completionFormat(model: string, tokenizer: Tokenizer, tellsUsage: boolean): AnswerFormat {
  const head = { id: `cmpl-${randomUUID()}`, object: 'text_completion', created: Math.floor(Date.now() / 1000), model };
  const choices = (text: string, tokens: readonly WrittenToken[], finish_reason: string | null) => ({
    choices: [{ index: 0, text, logprobs: tokens.length > 0 ? logprobsOf(tokens, tokenizer) : null, finish_reason }],
  });
  const chunk = (...choice: Parameters<typeof choices>) => ({
    ...head,
    ...choices(...choice),
    ...(tellsUsage ? { usage: null } : {}),
  });
  return {
    whole: (written, tokens) => ({
      ...head,
      ...choices(written.text, tokens, finishReasonOf(written)),
      usage: usageOf(written),
    }),
    opening: [],
    piece: (text, tokens) => chunk(text, tokens, null),
    closing: (written) => [
      chunk('', [], finishReasonOf(written)),
      ...(tellsUsage ? [{ ...head, choices: [], usage: usageOf(written) }] : []),
      '[DONE]',
    ],
  };
}

function logprobsOf(tokens: readonly WrittenToken[], tokenizer: Tokenizer): object {
  const text = ({ id }: { readonly id: number }) => tokenizer.tokenText(id);
  return {
    tokens: tokens.map(text),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top }) => Object.fromEntries(top.map((each) => [text(each), each.logprob]))),
    text_offset: tokens.map(({ offset }) => offset),
  };
}
