import { loadModelForData, type LoadedModel } from '../files/loadModel.js';

export interface ModelTokenizer extends Pick<LoadedModel, 'tokenizer' | 'textProblem'> {
  readonly vocabSize: number;
}

/** Keeps the last tokenizer that was requested, because reading one takes a moment. */
export class Tokenizers {
  private last: (ModelTokenizer & { readonly model: string }) | undefined;

  of(model: string): ModelTokenizer {
    if (this.last?.model !== model) {
      const { tokenizer, textProblem, weights } = loadModelForData(model);
      weights.close();
      this.last = { model, tokenizer, textProblem, vocabSize: weights.config.vocabSize };
    }
    return this.last;
  }
}
