/** @file The fields of requests that say how to draw tokens and where to end. */
import { randomInt } from 'node:crypto';
import type { Sampling } from '../core/generate/sampling.js';
import { HttpError } from './httpError.js';

export interface SamplingFields {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly min_p?: number;
  readonly repetition_penalty?: number;
  readonly repeat_penalty?: number;
  readonly seed?: number;
  readonly stop?: string | readonly string[];
}

/** The names are OpenAI's; those it lacks are vLLM's and llama.cpp's. */
export const samplingProperties = {
  temperature: { type: 'number', minimum: 0, maximum: 10 },
  top_p: { type: 'number', minimum: 0, maximum: 1 },
  top_k: { type: 'integer', minimum: -1 },
  min_p: { type: 'number', minimum: 0, maximum: 1 },
  repetition_penalty: { type: 'number', exclusiveMinimum: 0, maximum: 10 },
  repeat_penalty: { type: 'number', exclusiveMinimum: 0, maximum: 10 },
  seed: { type: 'integer' },
  stop: { type: ['string', 'array'], items: { type: 'string', minLength: 1 }, minLength: 1, maxItems: 64 },
};

/** A negative seed or none draws differently each time; a top_k of -1 means all, as 0 does. */
export function samplingOf(fields: SamplingFields, usualTemperature: number): Sampling {
  const { temperature = usualTemperature, top_p: topP = 1, top_k: topK = 0, min_p: minP = 0, seed = -1 } = fields;
  const repetitionPenalty = fields.repetition_penalty ?? fields.repeat_penalty ?? 1;
  return {
    temperature,
    topK: Math.max(0, topK),
    topP,
    minP,
    repetitionPenalty,
    seed: seed < 0 ? randomInt(2 ** 32) : seed % 2 ** 32,
  };
}

export function stopsOf({ stop = [] }: SamplingFields): readonly string[] {
  return typeof stop === 'string' ? [stop] : stop;
}

/** Fields that change the answer in ways that are not on offer here, with the values that ask for nothing. */
const unsupported: readonly (readonly [field: string, asksNothing: (value: unknown) => boolean, instead: string])[] = [
  ['n', (value) => value === 1, 'one answer is written per request'],
  ['best_of', (value) => value === 1, 'one answer is written per request'],
  ['echo', (value) => value === false, 'the prompt is not repeated'],
  ['presence_penalty', (value) => value === 0, 'use repetition_penalty'],
  ['frequency_penalty', (value) => value === 0, 'use repetition_penalty'],
  ['logit_bias', isEmpty, 'tokens are not biased'],
  // Tools that may be called, but need not be, are ignored: an answer in words is one of those that the client expects.
  ['tool_choice', (value) => value === 'auto' || value === 'none', 'tools are not called'],
  ['function_call', (value) => value === 'auto' || value === 'none', 'functions are not called'],
  ['response_format', (value) => (value as { type?: unknown } | null)?.type === 'text', 'answers are text'],
];

/** Ignoring these would give another answer than the one that was asked for. */
export function refuseUnsupported(body: Readonly<Record<string, unknown>>): void {
  for (const [param, asksNothing, instead] of unsupported) {
    if (body[param] === undefined || asksNothing(body[param])) continue;
    throw new HttpError(400, `${param} is not supported: ${instead}.`, { code: 'unsupported_parameter', param });
  }
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
