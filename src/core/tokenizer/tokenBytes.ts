import type { DecodeOptions, StreamDecoder } from './tokenizer.js';

/** How the tokens of a vocabulary spell bytes. */
export type Spelling =
  /** GPT-2's alphabet: one character per byte (https://github.com/openai/gpt-2, bytes_to_unicode). */
  | { readonly kind: 'byte-level' }
  /** Text with ▁ for a space, and <0x0A> for a byte that no piece covers. */
  | { readonly kind: 'sentencepiece'; readonly stripLeadingSpace: boolean };

/** Converts the tokens of a vocabulary to bytes, and those to text. */
export class TokenBytes {
  private readonly cache = new Map<number, Uint8Array>();

  constructor(
    private readonly spelling: Spelling,
    /** Undefined if an id has no token. */
    private readonly token: (id: number) => string | undefined,
    /** Added tokens are spelled literally, whatever the spelling of the others. */
    private readonly isAdded: (id: number) => boolean,
    private readonly isSpecial: (id: number) => boolean,
  ) {}

  of(id: number): Uint8Array {
    let bytes = this.cache.get(id);
    if (!bytes) this.cache.set(id, (bytes = this.spell(id)));
    return bytes;
  }

  decode(ids: Iterable<number>, options: DecodeOptions = {}): string {
    const stream = this.stream(options);
    let text = '';
    for (const id of ids) text += stream.push(id);
    return text + stream.end();
  }

  stream({ skipSpecialTokens = false, continuation = false }: DecodeOptions = {}): StreamDecoder {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    let mayStrip = this.spelling.kind === 'sentencepiece' && this.spelling.stripLeadingSpace && !continuation;
    return {
      push: (id) => {
        if (skipSpecialTokens && this.isSpecial(id)) return '';
        const bytes = this.of(id);
        const skip = mayStrip && bytes[0] === space ? 1 : 0;
        mayStrip = false;
        return decoder.decode(bytes.subarray(skip), { stream: true });
      },
      end: () => decoder.decode(),
    };
  }

  /** A token for display: its text, or its bytes as <0x…> if they do not form whole characters. */
  show(id: number): string {
    const bytes = this.of(id);
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return Array.from(bytes, (byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`).join('');
    }
  }

  private spell(id: number): Uint8Array {
    const token = this.token(id) ?? '';
    if (this.isAdded(id)) return utf8(token);
    return this.spelling.kind === 'byte-level' ? byteLevelBytes(token) : sentencePieceBytes(token);
  }
}

const space = 0x20;
const encoder = new TextEncoder();

function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

function sentencePieceBytes(token: string): Uint8Array {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(token);
  return byte ? Uint8Array.of(parseInt(byte[1]!, 16)) : utf8(token.replaceAll('▁', ' '));
}

const byteOfCharacter = byteLevelAlphabet();

function byteLevelBytes(token: string): Uint8Array {
  const bytes = [];
  for (const character of token) {
    const byte = byteOfCharacter.get(character);
    // A character outside the alphabet means that the token was spelled as plain text.
    if (byte === undefined) return utf8(token);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

const characterOfByte = new Map([...byteOfCharacter].map(([character, byte]) => [byte, character]));

/** Spells bytes in GPT-2's alphabet. */
export function byteLevelText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => characterOfByte.get(byte)!).join('');
}

/** Printable Latin-1 characters stand for themselves; the other bytes are assigned U+0100 and up, in order. */
function byteLevelAlphabet(): ReadonlyMap<string, number> {
  const alphabet = new Map<string, number>();
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const printable = (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
    alphabet.set(String.fromCharCode(printable ? byte : next++), byte);
  }
  return alphabet;
}
