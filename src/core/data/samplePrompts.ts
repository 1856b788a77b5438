/** @file Held-out examples as prompts for the model to answer during training. */
import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { ignoredLabel, type Example } from './batch.js';

/** Maximum number of new tokens in an answer. */
export const sampleTokens = 64;

/** Maximum prompt length, in tokens, for a text that is learned as a whole; enough to tell what it is about. */
const longestTextPrompt = 64;

export interface SamplePrompt {
  readonly ids: readonly number[];
  readonly prompt: string;
  /** How the example continues. */
  readonly expected: string;
}

/** Picks prompts spread over the held-out examples; the same data always gives the same prompts. */
export function samplePrompts(heldOut: readonly Example[], count: number, tokenizer: Tokenizer): SamplePrompt[] {
  const usable = heldOut.filter(({ inputIds }) => inputIds.length > 2);
  const chosen = Math.min(count, usable.length);
  return Array.from({ length: chosen }, (_, index) => asPrompt(usable[Math.floor((index * usable.length) / chosen)]!, tokenizer));
}

function asPrompt({ inputIds, labels }: Example, tokenizer: Tokenizer): SamplePrompt {
  const { start, end } = answerOf(labels);
  const ids = [...inputIds.subarray(0, start)];
  const expected = tokenizer.decode(inputIds.subarray(start, end), { skipSpecialTokens: true, continuation: true });
  return { ids, prompt: tokenizer.decode(ids, { skipSpecialTokens: true }), expected };
}

/** The first answer of a conversation; for a text that is learned as a whole, what follows its first part. */
function answerOf(labels: Int32Array): { start: number; end: number } {
  const start = labels.findIndex((label) => label !== ignoredLabel);
  if (start > 0) {
    const length = labels.subarray(start).findIndex((label) => label === ignoredLabel);
    return { start, end: length < 0 ? labels.length : start + length };
  }
  const cut = Math.min(longestTextPrompt, Math.floor(labels.length / 2));
  return { start: cut, end: Math.min(labels.length, cut + sampleTokens) };
}
