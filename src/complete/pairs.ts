/** @file Finds the brackets and quotes that close what was opened before a piece of text. */

/** A bracket or quote in a text that closes one opened before it. */
export interface Closing {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

const brackets: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };
const closers = new Set(Object.values(brackets));
const quote = /"""|'''|["'`]/y;

/** String prefixes such as f'' and rb""; any other single quote after a letter is an apostrophe. */
const letterBefore = /[\p{L}\p{N}]$/u;
const stringPrefix = /(^|[^\p{L}\p{N}_])[fFrRbBuU]{1,2}$/u;

/** The quote of the string that the cursor is in, judged by its line alone; null if it is not in a string. */
export function openQuote(linePrefix: string): string | null {
  return scan(linePrefix, null).open;
}

/** Finds what in `text` closes brackets opened before it, or the string with the quote `open` that it begins in. */
export function closings(text: string, open: string | null): readonly Closing[] {
  return scan(text, open).closings;
}

function scan(text: string, inside: string | null): { readonly open: string | null; readonly closings: readonly Closing[] } {
  const found: Closing[] = [];
  let open = inside;
  let ownString = false;
  let depth = 0;
  for (let at = 0; at < text.length;) {
    const character = text[at]!;
    const start = at;
    at++;
    if (open !== null) {
      if (character === '\\') at++;
      else if (text.startsWith(open, start)) {
        at = start + open.length;
        if (!ownString) found.push({ text: open, start, end: at });
        open = null;
      } else if (character === '\n' && open.length === 1 && open !== '`') open = null;
    } else if (brackets[character] !== undefined) depth++;
    else if (closers.has(character)) {
      if (depth > 0) depth--;
      else found.push({ text: character, start, end: at });
    } else {
      open = quoteAt(text, start);
      ownString = open !== null;
      if (open !== null) at = start + open.length;
    }
  }
  return { open, closings: found };
}

function quoteAt(text: string, start: number): string | null {
  quote.lastIndex = start;
  const found = quote.exec(text)?.[0] ?? null;
  const before = text.slice(0, start);
  return found === "'" && letterBefore.test(before) && !stringPrefix.test(before) ? null : found;
}
