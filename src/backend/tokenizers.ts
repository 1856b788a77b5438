import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { loadModel } from '../files/loadModel.js';

export interface ModelTokenizer {
  readonly tokenizer: Tokenizer;
  readonly vocabSize: number;
}

/** The tokenizer that was asked for last; reading one takes a moment. */
export class Tokenizers {
  private last: (ModelTokenizer & { readonly model: string }) | undefined;

  of(model: string): ModelTokenizer {
    if (this.last?.model !== model) {
      const { tokenizer, weights } = loadModel(model);
      weights.close();
      this.last = { model, tokenizer, vocabSize: weights.config.vocabSize };
    }
    return this.last;
  }
}
