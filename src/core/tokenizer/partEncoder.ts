import { tokensOf, type FillInTheMiddleFormat } from './fillInTheMiddleFormats.js';
import type { Tokenizer } from './tokenizer.js';

export type Encoder = Pick<Tokenizer, 'encode' | 'decode' | 'tokenId' | 'tokenText' | 'eosId' | 'specialIds'>;

/** Joins no other characters in a token. */
const smile = '☺';

/** Encodes the parts of a prompt one by one: the tokens that it is built of, and the texts between. */
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

  /** What stands before a text. */
  start(): readonly number[] {
    return [...this.encoder.encode('')];
  }

  /** One token where the vocabulary has it, else the tokens of the text. */
  marker(text: string | null): readonly number[] {
    if (text === null) return [];
    const id = this.encoder.tokenId(text);
    return id === undefined ? this.onwardsPlain(text) : [id];
  }

  /** A text from its beginning. */
  text(text: string): readonly number[] {
    const [first = '', ...others] = this.pieces(text);
    return [...this.plain(first), ...others.flatMap((piece) => this.onwardsPlain(piece))];
  }

  /**
   * A text that goes on from another. SentencePiece puts a space before the first word of what it is given, which must not be here:
   * Code Llama and Codestral were taught without it, by the same trick (encode_infilling of
   * https://github.com/meta-llama/codellama/blob/main/llama/tokenizer.py, _encode_infilling of mistral-common).
   */
  onwards(text: string): readonly number[] {
    return this.pieces(text).flatMap((piece) => this.onwardsPlain(piece));
  }

  /** A document may speak of the tokens, as a file about them does: there they are text, so none may be whole in a piece. */
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
