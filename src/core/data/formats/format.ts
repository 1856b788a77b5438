import type { EncodingContext, Sequence } from '../sequence.js';
import { alpaca } from './alpaca.js';
import { chat } from './chat.js';
import { textRows } from './text.js';
import { tokens } from './tokens.js';

/** How the rows of a JSON or JSONL file become sequences. */
export interface RowFormat {
  readonly name: 'alpaca' | 'chat' | 'text' | 'tokens';
  /** Whether a row has the fields of this format; a look at the first row chooses the format. */
  recognises(row: Row): boolean;
  /** Throws Unusable where the row is not as the format wants it. `origin`: `path:line`. */
  encode(row: Row, context: EncodingContext, origin: string): Sequence;
  /** Too long: cut at the end, or taken as several examples. */
  readonly tooLong: 'cut' | 'windows';
}

export type Row = Readonly<Record<string, unknown>>;

export const rowFormats: readonly RowFormat[] = [chat, alpaca, tokens, textRows];
