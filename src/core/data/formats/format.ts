import type { EncodingContext, Sequence } from '../sequence.js';
import { alpaca } from './alpaca.js';
import { chat } from './chat.js';
import { promptCompletion } from './promptCompletion.js';
import { textRows } from './text.js';
import { tokens } from './tokens.js';

/** What a field of a row is for. */
export type FieldRole = 'prompt' | 'answer' | 'conversation' | 'system prompt' | 'text' | 'token ids' | 'labels';

/** How the rows of a data file become sequences. */
export interface RowFormat {
  readonly name: 'alpaca' | 'prompt-completion' | 'chat' | 'text' | 'tokens';
  /** The fields that it reads. */
  readonly fields: Readonly<Record<string, FieldRole>>;
  /** Whether a row has the fields of this format; the first row decides the format of a file. */
  recognises(row: Row): boolean;
  /** Throws Unusable if the row does not conform to the format. `origin` is `path:line`. */
  encode(row: Row, context: EncodingContext, origin: string): Sequence;
  /** Whether a sequence that is too long is cut at the end or split into several examples. */
  readonly tooLong: 'cut' | 'windows';
}

/** The fields of a row and what this format reads them as; null for those that it does not read. */
export function fieldRoles(row: Row, formatName: string): Record<string, FieldRole | null> {
  const fields = rowFormats.find(({ name }) => name === formatName)?.fields ?? {};
  return Object.fromEntries(Object.keys(row).map((name) => [name, fields[name] ?? null]));
}

export type Row = Readonly<Record<string, unknown>>;

export const rowFormats: readonly RowFormat[] = [chat, alpaca, promptCompletion, tokens, textRows];

/** Every field that any format reads. */
export const knownFields: ReadonlyMap<string, FieldRole> = new Map(rowFormats.flatMap(({ fields }) => Object.entries(fields)));
