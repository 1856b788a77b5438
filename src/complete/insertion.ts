/** @file Fits a suggestion into the line that the cursor is in. Pure functions over text. */
import { closings, openQuote, type Closing } from './pairs.js';

export interface Insertion {
  readonly text: string;
  /**
   * Number of characters after the cursor that the text replaces. The text repeats them, because the editor shows ghost text only
   * if it contains what it replaces, in order.
   */
  readonly replaced: number;
}

export const nothing: Insertion = { text: '', replaced: 0 };

/**
 * Editors close brackets and quotes as soon as they are opened, so a model that writes to the end of the line often repeats the
 * closings that already follow the cursor; these are replaced, not doubled. Other words after the cursor stay. If the text does
 * not return to them by itself, it is cut before it closes their bracket, and directly before a word nothing is suggested.
 */
export function insertion(prefix: string, suffix: string, generated: string): Insertion {
  const text = generated.trimEnd();
  const behind = lineOf(suffix).trimEnd();
  if (text === '' || behind.trim() === '') return { text: withoutLinesBelow(text, prefix, suffix), replaced: 0 };
  const open = openQuote(lastLineOf(prefix));
  const [own, theirs] = [closings(text, open), closings(behind, open)];
  const repeated = repeatedClosings({ text, closings: own }, { text: behind, closings: theirs });
  const [textPlace, behindPlace] = repeated === 0 ? [0, 0] : [own[repeated - 1]!.end, theirs[repeated - 1]!.end];
  const rest = behind.slice(behindPlace).trim();
  const tail = text.slice(textPlace);
  if (repeated === theirs.length && says(tail, rest)) return shown(text, behind, behind.length, own);
  if (hasWords(rest)) return beginsOperand(behind, theirs) ? nothing : beforeClosing(lineOf(text), theirs.length > 0 ? own : []);
  if (repeated === 0 && isOnLinesOfItsOwn(text, prefix, behind)) return { text: `${text}\n${indentOf(prefix)}`, replaced: 0 };
  const end = theirs.length > repeated ? own[repeated]?.start : undefined;
  return shown(text.slice(0, end), behind, behindPlace, own);
}

/** Drops the end of the text if it is already below the cursor: a bracket that closes the block, or the lines that follow it. */
function withoutLinesBelow(text: string, prefix: string, suffix: string): string {
  const below = suffix
    .split('\n')
    .slice(1)
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
  const lines = text.split('\n').map((line) => line.trimEnd());
  // The first line continues the one that the cursor is in.
  const whole = [lastLineOf(prefix) + lines[0]!, ...lines.slice(1)];
  for (let count = Math.min(whole.length, below.length); count > 0; count--) {
    const end = whole.slice(-count);
    if (end.every((line, index) => line === below[index])) return lines.slice(0, -count).join('\n').trimEnd();
  }
  return text;
}

interface Scanned {
  readonly text: string;
  readonly closings: readonly Closing[];
}

/** Counts the closings after the cursor that the text repeats, each after the words that precede it there. */
function repeatedClosings(text: Scanned, behind: Scanned): number {
  const wordsBefore = ({ text, closings }: Scanned, index: number) =>
    text.slice(closings[index - 1]?.end ?? 0, closings[index]!.start);
  const differs = behind.closings.findIndex(
    (closing, index) =>
      text.closings[index]?.text !== closing.text || !says(wordsBefore(text, index), wordsBefore(behind, index).trim()),
  );
  return differs < 0 ? behind.closings.length : differs;
}

/** The editor shows the text only if it contains what it replaces, in order; if not, the text is cut before its first closing. */
function shown(text: string, behind: string, replaced: number, own: readonly Closing[]): Insertion {
  return isSubsequence(behind.slice(0, replaced), text) ? { text, replaced } : beforeClosing(text, own);
}

function beforeClosing(text: string, own: readonly Closing[]): Insertion {
  return { text: text.slice(0, own[0]?.start).trimEnd(), replaced: 0 };
}

/** Whether the text begins on the line below an opening bracket, so that the closing bracket needs its own line below it. */
function isOnLinesOfItsOwn(text: string, prefix: string, behind: string): boolean {
  return /^[ \t]*\n/.test(text) && /[([{]\s*$/.test(prefix) && /^\s*[)\]}]/.test(behind);
}

function indentOf(prefix: string): string {
  return /^[ \t]*/.exec(lastLineOf(prefix))![0];
}

function isSubsequence(part: string, text: string): boolean {
  let found = 0;
  for (let at = 0; at < text.length && found < part.length; at++) if (text[at] === part[found]) found++;
  return found === part.length;
}

/** Whether the text contains the words, and not only as parts of others. */
function says(text: string, words: string): boolean {
  const parts = (place: number) => /^[\p{L}\p{N}_]{2}$/u.test(text.slice(Math.max(0, place - 1), place + 1));
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) {
    if (words === '' || !(parts(at) || parts(at + words.length))) return true;
  }
  return false;
}

/** Whether the text would run directly into a word, a string or an opening bracket after the cursor. */
function beginsOperand(behind: string, theirs: readonly Closing[]): boolean {
  return theirs[0]?.start !== 0 && /^[\p{L}\p{N}_"'`([{]/u.test(behind);
}

function hasWords(text: string): boolean {
  return /[^\s)\]}>'"`;,:]/.test(text);
}

function lastLineOf(text: string): string {
  return text.slice(text.lastIndexOf('\n') + 1);
}

function lineOf(text: string): string {
  return text.split('\n', 1)[0]!;
}
