/** Text ↔ ids of one model. Ids are those of the model's reference tokenizer (Hugging Face tokenizers, or SentencePiece through it). */
export interface Tokenizer {
  /** One more than the highest id. */
  readonly vocabSize: number;
  readonly bosId: number | null;
  /** Ends a document or an answer; training appends it. */
  readonly eosId: number | null;
  /** Generation ends at any of these; holds eosId where there is one. */
  readonly stopIds: readonly number[];
  /** Fills short rows; never attended to. */
  readonly padId: number;
  /** Tokens that are no text, such as the marks of turns. */
  readonly specialIds: readonly number[];
  readonly hasChatTemplate: boolean;

  /** `addSpecialTokens` (true unless said otherwise) puts the model's BOS, and rarely EOS, around the text. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Int32Array;
  /** Bytes that are no UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** The same piece by piece: a character comes out once its last byte is there. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** A token by itself, for showing: bytes that are no whole character as <0x…>. */
  tokenText(id: number): string;
  /** The id of a token by its exact text in the vocabulary, special tokens included. */
  tokenId(token: string): number | undefined;
  /** The conversation as the model was taught to read it; encode it without special tokens. Throws UserError('model-unsupported'). */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean;
  /** The ids go on from a prompt: SentencePiece's space before the first word stays. */
  readonly continuation?: boolean;
}

export interface StreamDecoder {
  /** The text that this token completes, often ''. */
  push(id: number): string;
  /** What is left: an unfinished character as U+FFFD. */
  end(): string;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatTemplateOptions {
  /** Ends with the opening of the assistant's turn. */
  readonly addGenerationPrompt?: boolean;
  /** What a template that asks for the date is told; now unless given. */
  readonly now?: Date;
}
