import { fillInTheMiddleEnds, recognizeFillInTheMiddle } from '../core/tokenizer/fillInTheMiddle.js';
import type { FillInTheMiddleFormat } from '../core/tokenizer/fillInTheMiddleFormats.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';

export interface CompletionEnds {
  readonly ids: readonly number[];
  readonly texts: readonly string[];
}

/**
 * What ends ghost text and is never in it: all that is no text, and the markers of fill-in-the-middle, which many vocabularies count
 * as text: those of the format in use, and those that the model knows though another format is used or none.
 */
export function completionEnds(tokenizer: Tokenizer, format: FillInTheMiddleFormat | null): CompletionEnds {
  const formats = [format, recognizeFillInTheMiddle(tokenizer)].filter((each) => each !== null);
  const ends = formats.map((each) => fillInTheMiddleEnds(each, tokenizer));
  return {
    ids: [...new Set([...tokenizer.stopIds, ...tokenizer.specialIds, ...ends.flatMap(({ ids }) => ids)])],
    texts: ends.flatMap(({ texts }) => texts),
  };
}
