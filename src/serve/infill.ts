/**
 * @file POST /infill, as llama.cpp's server has it (https://github.com/ggml-org/llama.cpp/tree/master/tools/server), for editors
 * that complete code.
 */
import { completionPrompt } from '../complete/context.js';
import { completionEnds } from '../complete/ends.js';
import type { Written } from '../core/generate/writeText.js';
import { fillInTheMiddleWith } from '../files/taughtMarkers.js';
import type { ReadyModel } from '../inference/textModels.js';
import { answer, type Answer, type AnswerFormat } from './answer.js';
import { bodyCheck } from './checkedBody.js';
import type { Exchange } from './exchange.js';
import { infillEnd } from './infillEnd.js';
import { samplingOf, samplingProperties, stopsOf, type SamplingFields } from './sampling.js';
import type { Service } from './service.js';

interface InfillBody extends SamplingFields {
  readonly model?: string;
  readonly input_prefix?: string;
  readonly input_suffix?: string;
  /** The beginning of the line that the cursor is in. */
  readonly prompt?: string;
  /** Parts of other files. */
  readonly input_extra?: readonly { readonly filename?: string; readonly text: string }[];
  readonly n_predict?: number;
  readonly n_indent?: number;
  readonly t_max_predict_ms?: number;
  readonly stream?: boolean;
}

/** Longer contexts make the first suggestion slow and rarely better. */
const maxContext = 2048;

const checked = bodyCheck<InfillBody>(
  {
    ...samplingProperties,
    model: { type: 'string' },
    input_prefix: { type: 'string' },
    input_suffix: { type: 'string' },
    prompt: { type: 'string' },
    input_extra: {
      type: 'array',
      items: { type: 'object', properties: { filename: { type: 'string' }, text: { type: 'string' } }, required: ['text'] },
    },
    n_predict: { type: 'integer', minimum: -1 },
    n_indent: { type: 'integer', minimum: 0 },
    t_max_predict_ms: { type: 'number', minimum: 0 },
    stream: { type: 'boolean' },
  },
  [],
);

export async function infill(exchange: Exchange, service: Service): Promise<void> {
  const body = checked(await exchange.body());
  const asked = service.served.get(body.model);
  await answer(exchange, service, { asked, stream: body.stream ?? false }, (model) => ({
    request: requestOf(body, model, asked.adapter),
    format: infillFormat(asked.name),
  }));
}

function requestOf(body: InfillBody, { tokenizer, textModel }: ReadyModel, adapter: string | null): Answer['request'] {
  const { input_prefix = '', input_suffix: suffix = '', prompt = '', n_predict = -1, input_extra = [] } = body;
  const maxNewTokens = n_predict < 0 ? Infinity : n_predict;
  const room = Math.max(1, textModel.contextLength - Math.min(maxNewTokens, Math.floor(textModel.contextLength / 2)));
  const format = fillInTheMiddleWith(adapter, tokenizer);
  const others = input_extra.map(({ filename = unnamed, text }) => ({ file: filename, text }));
  const cursor = { prefix: input_prefix + prompt, suffix, ...(others.length > 0 ? { ...unknownPlace, others } : {}) };
  const ends = completionEnds(tokenizer, format);
  return {
    promptIds: completionPrompt(tokenizer, format, cursor, Math.min(maxContext, room)),
    sampling: samplingOf(body, 0),
    stop: [...stopsOf(body), ...ends.texts],
    endIds: ends.ids,
    maxNewTokens,
    reuse: 'all',
    endsAt: infillEnd(body.n_indent ?? 0, body.t_max_predict_ms ?? 0),
  };
}

/** The client names neither; llama.cpp tells the model these. */
const unnamed = 'filename';
const unknownPlace = { repository: 'myproject', file: unnamed };

function infillFormat(model: string): AnswerFormat {
  const end = (written: Written) => ({ model, stop: true, stop_type: stopTypes[written.finishReason], ...measured(written) });
  return {
    whole: (written) => ({ content: written.text, ...end(written) }),
    opening: [],
    piece: (content) => ({ content, stop: false }),
    closing: (written) => [{ content: '', ...end(written) }],
  };
}

const stopTypes = { end: 'eos', length: 'limit', stopped: 'word' } as const;

function measured({ promptTokens, reusedTokens, newTokens, promptSeconds, decodeSeconds }: Written): object {
  const timings = (prefix: string, count: number, seconds: number) => ({
    [`${prefix}_n`]: count,
    [`${prefix}_ms`]: 1000 * seconds,
    [`${prefix}_per_token_ms`]: count > 0 ? (1000 * seconds) / count : null,
    [`${prefix}_per_second`]: seconds > 0 ? count / seconds : null,
  });
  return {
    tokens_evaluated: promptTokens,
    tokens_predicted: newTokens,
    tokens_cached: reusedTokens,
    truncated: false,
    timings: {
      ...timings('prompt', promptTokens - reusedTokens, promptSeconds),
      ...timings('predicted', newTokens, decodeSeconds),
    },
  };
}
