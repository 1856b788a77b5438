/** @file Cuts long texts down to what a prompt has room for, before they are encoded. */

/** Approximate length of a token in code; an exact count is not worth encoding a whole document. */
const charactersPerToken = 3;

/** About how many characters of code `budget` tokens hold. */
export function windowCharacters(budget: number): number {
  return budget * charactersPerToken;
}

/** The text before the cursor of which `budget` tokens are about to be encoded. */
export function windowBefore(prefix: string, budget: number): string {
  return lastPart(prefix, windowCharacters(budget));
}

/** The text around the cursor, of which `budget` tokens are about to be encoded: a quarter of them behind it. */
export function windowAround(prefix: string, suffix: string, budget: number): { prefix: string; suffix: string } {
  const roomBehind = Math.floor(budget / 4);
  return { prefix: windowBefore(prefix, budget - roomBehind), suffix: firstPart(suffix, windowCharacters(roomBehind)) };
}

/**
 * The end of a text, starting at the beginning of a line. The cut moves in steps of a quarter of the length rather than with
 * every keystroke, so that most of the prompt stays the same and remains in the model's cache.
 */
export function lastPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const step = Math.max(1, Math.floor(length / 4));
  const cut = Math.ceil((text.length - length) / step) * step;
  const line = text.indexOf('\n', cut);
  return line < 0 || line + 1 >= text.length ? text.slice(cut) : text.slice(line + 1);
}

/** The beginning of a text, up to the end of a line. */
export function firstPart(text: string, length: number): string {
  if (text.length <= length) return text;
  const line = text.lastIndexOf('\n', length);
  return text.slice(0, line > 0 ? line : length);
}
