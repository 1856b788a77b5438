import type { EncodingContext, Sequence } from '../sequence.js';
import { alpaca } from './alpaca.js';
import { chat } from './chat.js';
import { textRows } from './text.js';
import { tokens } from './tokens.js';

/** How the rows of a JSON or JSONL file become sequences. */
export interface RowFormat {
  readonly name: 'alpaca' | 'chat' | 'text' | 'tokens';
  /** Whether a row has the fields of this format; the first row decides the format of a file. */
  recognises(row: Row): boolean;
  /** Throws Unusable if the row does not conform to the format. `origin` is `path:line`. */
  encode(row: Row, context: EncodingContext, origin: string): Sequence;
  /** Whether a sequence that is too long is cut at the end or split into several examples. */
  readonly tooLong: 'cut' | 'windows';
}

export type Row = Readonly<Record<string, unknown>>;

export const rowFormats: readonly RowFormat[] = [chat, alpaca, tokens, textRows];
