/**
 * Converts between text and the ids of one model. Ids match the model's reference tokenizer (Hugging Face tokenizers, or
 * SentencePiece through it).
 */
export interface Tokenizer {
  /** One more than the highest id. */
  readonly vocabSize: number;
  readonly bosId: number | null;
  /** Ends a document or an answer; training appends it. */
  readonly eosId: number | null;
  /** Generation ends at any of these; includes eosId unless that is null. */
  readonly stopIds: readonly number[];
  /** Pads short rows; never attended to. */
  readonly padId: number;
  /** Tokens that are not text, such as turn markers. */
  readonly specialIds: readonly number[];
  readonly hasChatTemplate: boolean;

  /** `addSpecialTokens` (default: true) puts the model's BOS, and rarely EOS, around the text. */
  encode(text: string, options?: { readonly addSpecialTokens?: boolean }): Int32Array;
  /** Bytes that are not valid UTF-8 become U+FFFD. */
  decode(ids: Iterable<number>, options?: DecodeOptions): string;
  /** Decodes piece by piece: a character is returned once its last byte has arrived. */
  streamDecoder(options?: DecodeOptions): StreamDecoder;
  /** A single token for display; bytes that do not form whole characters are shown as <0x…>. */
  tokenText(id: number): string;
  /** The id of a token, by its exact text in the vocabulary; includes special tokens. */
  tokenId(token: string): number | undefined;
  /** The conversation in the model's own layout, to be encoded without special tokens. Throws UserError('model-unsupported'). */
  applyChatTemplate(messages: readonly ChatMessage[], options?: ChatTemplateOptions): string;
}

export interface DecodeOptions {
  readonly skipSpecialTokens?: boolean;
  /** The ids continue a prompt, so SentencePiece's space before the first word is kept. */
  readonly continuation?: boolean;
}

export interface StreamDecoder {
  /** The text that this token completes, often ''. */
  push(id: number): string;
  /** What remains: an unfinished character as U+FFFD. */
  end(): string;
}

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
}

export interface ChatTemplateOptions {
  /** Appends the opening of the assistant's turn. */
  readonly addGenerationPrompt?: boolean;
  /** The date for templates that ask for it; defaults to the current time. */
  readonly now?: Date;
}
