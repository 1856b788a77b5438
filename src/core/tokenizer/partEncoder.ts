import { tokensOf, type FillInTheMiddleFormat } from './fillInTheMiddleFormats.js';
import type { Tokenizer } from './tokenizer.js';

export type Encoder = Pick<Tokenizer, 'encode' | 'decode' | 'tokenId' | 'tokenText' | 'eosId' | 'specialIds'>;

/** A character that never shares a token with other characters. */
const smile = '☺';

/** Encodes the parts of a prompt one by one: its markers, and the texts between them. */
export class PartEncoder {
  private readonly addsSpace: boolean;
  private readonly tokens: readonly string[];

  constructor(
    private readonly encoder: Encoder,
    format: FillInTheMiddleFormat | null,
  ) {
    this.addsSpace = encoder.decode(this.plain('a'), { continuation: true }).startsWith(' ');
    const special = encoder.specialIds.map((id) => encoder.tokenText(id));
    const ofFormat = format ? tokensOf(format).filter((token) => encoder.tokenId(token) !== undefined) : [];
    this.tokens = [...special, ...ofFormat].filter((token) => token.length > 1);
  }

  /** The tokens that precede any text. */
  start(): readonly number[] {
    return [...this.encoder.encode('')];
  }

  /** One token if the vocabulary has it, otherwise the tokens of the text. */
  marker(text: string | null): readonly number[] {
    if (text === null) return [];
    const id = this.encoder.tokenId(text);
    return id === undefined ? this.onwardsPlain(text) : [id];
  }

  /** A text that starts a document. */
  text(text: string): readonly number[] {
    const [first = '', ...others] = this.pieces(text);
    return [...this.plain(first), ...others.flatMap((piece) => this.onwardsPlain(piece))];
  }

  /**
   * A text that continues another. SentencePiece adds a space before the first word of its input, which is wrong here: Code Llama
   * and Codestral were trained without it, using the same trick (encode_infilling of
   * https://github.com/meta-llama/codellama/blob/main/llama/tokenizer.py, _encode_infilling of mistral-common).
   */
  onwards(text: string): readonly number[] {
    return this.pieces(text).flatMap((piece) => this.onwardsPlain(piece));
  }

  /**
   * A document may mention the tokens, as a file about them does. They are plain text there, so no piece may contain a whole one.
   */
  private pieces(text: string): readonly string[] {
    const found = this.tokens.filter((token) => text.includes(token));
    return found.length === 0 ? [text] : text.split(new RegExp(found.map(afterFirstCharacter).join('|'), 'u'));
  }

  private onwardsPlain(text: string): readonly number[] {
    const alone = this.plain(text);
    if (!this.addsSpace || text === '') return alone;
    const before = this.plain(smile);
    const ids = this.plain(smile + text);
    return before.every((id, index) => ids[index] === id) ? ids.slice(before.length) : alone;
  }

  private plain(text: string): readonly number[] {
    return text === '' ? [] : [...this.encoder.encode(text, { addSpecialTokens: false })];
  }
}

function afterFirstCharacter(token: string): string {
  const quoted = [...token].map((character) => `\\u{${character.codePointAt(0)!.toString(16)}}`);
  return `(?<=${quoted[0]})(?=${quoted.slice(1).join('')})`;
}
