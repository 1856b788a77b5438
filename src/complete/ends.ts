import { fillInTheMiddleEnds, recognizeFillInTheMiddle } from '../core/tokenizer/fillInTheMiddle.js';
import type { FillInTheMiddleFormat } from '../core/tokenizer/fillInTheMiddleFormats.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';

export interface CompletionEnds {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
}

/**
 * What ends ghost text and never appears in it: all tokens that are not text, and fill-in-the-middle markers, which many
 * vocabularies treat as text. These are the markers of the format in use and of the one the model knows, even if it is not used.
 */
export function completionEnds(tokenizer: Tokenizer, format: FillInTheMiddleFormat | null): CompletionEnds {
  const formats = [format, recognizeFillInTheMiddle(tokenizer)].filter((each) => each !== null);
  const ends = formats.map((each) => fillInTheMiddleEnds(each, tokenizer));
  return {
    ids: [...new Set([...tokenizer.stopIds, ...tokenizer.specialIds, ...ends.flatMap(({ ids }) => ids)])],
    texts: ends.flatMap(({ texts }) => texts),
  };
}
