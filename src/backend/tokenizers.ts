import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { loadModel } from '../complete/loadedModel.js';

export interface ModelTokenizer {
  readonly tokens: Tokenizer;
  readonly vocabSize: number;
}

/** The tokenizer that was asked for last; reading one takes a moment. */
export class Tokenizers {
  private last: { readonly model: string; readonly tokenizer: ModelTokenizer } | undefined;

  of(model: string): ModelTokenizer {
    if (this.last?.model !== model) {
      const { tokens, weights } = loadModel(model);
      weights.close();
      this.last = { model, tokenizer: { tokens, vocabSize: weights.config.vocabSize } };
    }
    return this.last.tokenizer;
  }
}
