import { t } from '../../l10n/text.js';
import type { LeftOut } from './fileRules.js';

/** One data file, read when asked for: a file on disk, an unsaved document of an editor, a string in a test. */
export interface DataFile {
  /** Shown in messages. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** The whole text, at most largestText. Throws Unusable. */
  text(): string;
  /** The lines one after another, so that a file of any size can be read. */
  lines(): Iterable<DataLine>;
}

/** A line, counted from 1, or why it can't be read. */
export type DataLine = { readonly number: number; readonly text: string } | { readonly number: number; readonly problem: string };

/** What lies at a path. The files of a folder come in a fixed order, without what .gitignore names. */
export type DataPlace =
  | { readonly kind: 'file'; readonly file: DataFile }
  | {
      readonly kind: 'folder';
      readonly path: string;
      readonly files: readonly DataFile[];
      /** What may not be learned from, whatever the format: hidden, secret, somebody else's. */
      readonly leftOut: readonly LeftOut[];
      readonly skipped: readonly Skipped[];
    };

/** The port through which core reaches data. */
export interface DataFiles {
  /** Throws UserError('file-not-found' or 'file-unreadable'). */
  open(path: string): DataPlace;
}

/** A record or file that was left out. */
export interface Skipped {
  /** `path:line`, or the path alone. */
  readonly origin: string;
  readonly reason: string;
}

/** Thrown for one record or file that can't be used while the others can; the message is the reason, for people. */
export class Unusable extends Error {}

/** Bytes; a line or an array element beyond this is no training example. */
export const largestRecord = 8 * 2 ** 20;
/** Bytes; what must be held as one string: a JSON array. */
export const largestText = 256 * 2 ** 20;
/** Bytes; what is tokenized as one text, which takes a hundred times its size. */
export const largestDocument = 32 * 2 ** 20;

/** A file whose text is already here. */
export function textFile(path: string, text: string): DataFile {
  return {
    path,
    size: text.length,
    text: () => text,
    *lines() {
      let number = 0;
      for (let start = 0; start < text.length;) {
        const newline = text.indexOf('\n', start);
        const end = newline < 0 ? text.length : newline;
        number++;
        yield end - start > largestRecord ? tooLong(number) : { number, text: text.slice(start, end) };
        start = end + 1;
      }
    },
  };
}

export function tooLong(number: number): DataLine {
  return { number, problem: t`the line is longer than ${largestRecord / 2 ** 20} MB` };
}
