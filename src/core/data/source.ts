import { t } from '../../l10n/text.js';
import type { ByteSource } from '../formats/byteSource.js';
import type { LeftOut } from './fileRules.js';

/** A data file, read on demand: a file on disk, an unsaved document in an editor, or a string in a test. */
export interface DataFile {
  /** Shown in messages. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** The whole text, up to `largestText` bytes. Throws Unusable. */
  text(): string;
  /** The lines, one at a time, so that a file of any size can be read. */
  lines(): Iterable<DataLine>;
  /** Random access; the caller closes it. Throws Unusable. */
  bytes(): ByteSource;
  /** Unpacks Brotli; throws an Error if that takes more than `length` bytes. */
  unpackBrotli(input: Uint8Array, length: number): Uint8Array;
}

/** A line with its number, counted from 1, or the reason it can't be read. */
export type DataLine = { readonly number: number; readonly text: string } | { readonly number: number; readonly problem: string };

/** What a path refers to. The files of a folder are listed in a fixed order, without those that .gitignore excludes. */
export type DataPlace =
  | { readonly kind: 'file'; readonly file: DataFile }
  | {
      readonly kind: 'folder';
      readonly path: string;
      readonly files: readonly DataFile[];
      /** Files and folders excluded whatever the format: hidden, secret or third-party. */
      readonly leftOut: readonly LeftOut[];
      readonly skipped: readonly Skipped[];
      /** Which files are held out if no other data are; undefined leaves that to chance. */
      readonly heldOut?: HeldOutFiles;
    };

export interface HeldOutFiles {
  readonly by: HeldOutBy;
  readonly paths: ReadonlySet<string>;
}

/** `git`: the newest in the history; `modified`: the last changed on disk, since there is no history; `seed`: drawn by the seed. */
export type HeldOutBy = 'git' | 'modified' | 'seed';

/** The interface through which core accesses data. */
export interface DataFiles {
  /** Throws UserError('file-not-found' or 'file-unreadable'). */
  open(path: string): DataPlace;
}

/** A record or file that was skipped. */
export interface Skipped {
  /** `path:line`, or the path alone. */
  readonly origin: string;
  readonly reason: string;
}

/** Thrown for a record or file that can't be used while others can; the message is the reason, as shown to the user. */
export class Unusable extends Error {}

/** In bytes; a line, row or array element larger than this is not a training example. */
export const largestRecord = 8 * 2 ** 20;
/** In bytes; the limit for text that must be held as one string, such as a JSON array. */
export const largestText = 256 * 2 ** 20;
/** In bytes; the limit for text that is tokenized in one piece, which takes a hundred times its size. */
export const largestDocument = 32 * 2 ** 20;

/** A file whose text is already in memory. */
export function textFile(path: string, text: string): DataFile {
  return {
    path,
    size: text.length,
    text: () => text,
    bytes: () => textSource(path, text),
    unpackBrotli() {
      throw new Error('internal: text is not packed');
    },
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

function textSource(name: string, text: string): ByteSource {
  const bytes = new TextEncoder().encode(text);
  return {
    name,
    size: bytes.length,
    read: (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
    close: () => undefined,
  };
}

export function tooLong(number: number): DataLine {
  return { number, problem: t`the line is longer than ${largestRecord / 2 ** 20} MB` };
}
