import { windowAround, windowBefore } from '../core/tokenizer/contextWindow.js';
import type { FillInTheMiddleFormat } from '../core/tokenizer/fillInTheMiddleFormats.js';
import { fillInTheMiddlePrompt, type OtherFile } from '../core/tokenizer/fillInTheMiddlePrompt.js';
import { PartEncoder } from '../core/tokenizer/partEncoder.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';

export interface CursorContext {
  /** The document before and after the cursor. */
  readonly prefix: string;
  readonly suffix: string;
  /** The document's path in its repository, with forward slashes, and the repository's name, if known. */
  readonly file?: string;
  readonly repository?: string;
  /** Parts of other files, the most important last. */
  readonly others?: readonly OtherFile[];
}

/**
 * Builds the prompt, at most `budget` tokens: the text around the cursor as `format` arranges it or, if there is no format or
 * nothing follows the cursor, only the text before it.
 */
export function completionPrompt(
  tokenizer: Tokenizer,
  format: FillInTheMiddleFormat | null,
  cursor: CursorContext,
  budget: number,
): readonly number[] {
  if (format && (cursor.suffix.trim() !== '' || cursor.others)) {
    const around = windowAround(cursor.prefix, cursor.suffix, budget);
    const ids = fillInTheMiddlePrompt(format, tokenizer, { ...cursor, ...around }, budget);
    if (ids) return ids;
  }
  const encode = new PartEncoder(tokenizer, format);
  const start = encode.start();
  const room = Math.max(0, budget - start.length);
  const before = encode.text(windowBefore(cursor.prefix, room));
  return [...start, ...last(before, room)];
}

/**
 * Ends of the text before the cursor that the model should write again itself, longest first, the empty one last. A tokenizer
 * joins spaces with the word that follows and words with their own endings, so a prompt cut in between is unlike anything the
 * model has seen and leads it astray. The remedy is known as token healing.
 */
export function unsettledEnds(prefix: string): readonly string[] {
  const ends = [/\s*[\p{L}\p{N}_]*$/u, / ?[\p{L}\p{N}_]*$/u].map((end) => end.exec(prefix)?.[0] ?? '');
  return [...new Set([...ends, ''])];
}

/** Dense text may have more tokens than estimated; those furthest from the cursor are dropped. */
function last(ids: readonly number[], count: number): readonly number[] {
  return ids.slice(Math.max(0, ids.length - count));
}
