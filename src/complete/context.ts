import type { Tokenizer } from '../core/tokenizer/tokenizer.js';

export interface CursorContext {
  /** The document before and after the cursor. */
  readonly prefix: string;
  readonly suffix: string;
}

export interface CompletionPrompt {
  readonly ids: readonly number[];
  /** Ids that end the text, besides the tokenizer's own. */
  readonly endIds: readonly number[];
}

/** A token is about this long in code; the exact count is not worth encoding a whole document for. */
const charactersPerToken = 3;

/** Prefix, suffix, middle. */
const middleTokens = 3;

/**
 * What the model reads: the text around the cursor in fill-in-the-middle order where the vocabulary has such tokens
 * (https://arxiv.org/abs/2207.14255), else the text before it. `budget`: tokens at most.
 */
export function completionPrompt(tokenizer: Tokenizer, { prefix, suffix }: CursorContext, budget: number): CompletionPrompt {
  const start = tokenizer.encode('');
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const before = (room: number) => last(encode(lastPart(prefix, room * charactersPerToken)), room);
  const middle = tokenizer.fillInTheMiddle;
  const room = budget - start.length - middleTokens;
  if (!middle || suffix.trim() === '' || room <= 0) {
    return { ids: [...start, ...before(Math.max(0, budget - start.length))], endIds: [] };
  }
  const roomBehind = Math.floor(room / 4);
  const behind = encode(firstPart(suffix, roomBehind * charactersPerToken)).slice(0, roomBehind);
  return {
    ids: [...start, middle.prefixId, ...before(room - roomBehind), middle.suffixId, ...behind, middle.middleId],
    endIds: middle.endId === null ? [] : [middle.endId],
  };
}

/**
 * Ends of the text before the cursor that a model had better write again by itself, longest first, at last none. A tokenizer
 * joins blanks with the word that follows them and words with their own ends, so a model that reads a prompt cut in between has
 * never seen the like and goes astray (known as token healing).
 */
export function unsettledEnds(prefix: string): readonly string[] {
  const ends = [/\s*[\p{L}\p{N}_]*$/u, / ?[\p{L}\p{N}_]*$/u].map((end) => end.exec(prefix)?.[0] ?? '');
  return [...new Set([...ends, ''])];
}

/**
 * The end of a text, from the beginning of a line. The cut moves in steps of a quarter of the length, not with every key: then
 * most of the prompt is what it was before, and the model's cache still holds it.
 */
export function lastPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const step = Math.max(1, Math.floor(length / 4));
  const cut = Math.ceil((text.length - length) / step) * step;
  const line = text.indexOf('\n', cut);
  return line < 0 || line + 1 >= text.length ? text.slice(cut) : text.slice(line + 1);
}

/** The beginning of a text, to the end of a line. */
export function firstPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const line = text.lastIndexOf('\n', length);
  return text.slice(0, line > 0 ? line : length);
}

/** Dense text may have more tokens than guessed; what is furthest from the cursor goes. */
function last(ids: Int32Array, count: number): Int32Array {
  return ids.subarray(Math.max(0, ids.length - count));
}
