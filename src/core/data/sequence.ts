import type { Tokenizer } from '../tokenizer/tokenizer.js';
import { ignoredLabel } from './batch.js';
import type { FillInTheMiddle } from './fillInTheMiddle.js';

/** Ids and labels of one record, of any length; labels as in Example. */
export interface Sequence {
  readonly inputIds: Int32Array;
  readonly labels: Int32Array;
}

/** Everything that the encoding of records depends on. */
export interface EncodingContext {
  readonly tokenizer: Tokenizer;
  /** Exclusive upper bound for ids: the number of rows of the model's embedding. */
  readonly vocabSize: number;
  readonly maxSequenceLength: number;
  readonly trainOnPrompt: boolean;
  /** For source files; absent or null means that they are learned from beginning to end. */
  readonly fillInTheMiddle?: FillInTheMiddle | null;
}

/** `prompt` followed by `answer` and EOS; the loss counts the answer and EOS, and with trainOnPrompt also the prompt. */
export function promptAndAnswer(prompt: string, answer: string, { tokenizer, trainOnPrompt }: EncodingContext): Sequence {
  const inputIds = withEos(tokenizer.encode(prompt + answer), tokenizer.eosId);
  const labels = inputIds.slice();
  if (!trainOnPrompt) labels.fill(ignoredLabel, 0, sharedLength(tokenizer.encode(prompt), inputIds));
  return { inputIds, labels };
}

/** A text to be learned as a whole, followed by EOS. */
export function wholeText(text: string, { tokenizer }: EncodingContext): Sequence {
  const inputIds = withEos(tokenizer.encode(text), tokenizer.eosId);
  return { inputIds, labels: inputIds.slice() };
}

function withEos(ids: Int32Array, eosId: number | null): Int32Array {
  if (eosId === null || ids.at(-1) === eosId) return ids;
  const ended = new Int32Array(ids.length + 1);
  ended.set(ids);
  ended[ids.length] = eosId;
  return ended;
}

/**
 * The number of leading tokens that two texts share. A token that spans the end of the shorter text is not shared: it is already
 * part of what follows.
 */
export function sharedLength(a: Int32Array, b: Int32Array): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) if (a[index] !== b[index]) return index;
  return length;
}

/** How many labels the loss counts. The first token is never counted, because there is nothing to predict it from. */
export function learnedTokens(labels: Int32Array): number {
  let count = 0;
  for (let index = 1; index < labels.length; index++) if (labels[index] !== ignoredLabel) count++;
  return count;
}
