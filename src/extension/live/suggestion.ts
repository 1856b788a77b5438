/** A suggestion at a place in a document. */
export interface Suggestion {
  readonly document: string;
  readonly offset: number;
  readonly text: string;
}

/**
 * Whether the later one is the earlier one, asked for again or typed into: every keystroke asks, and what the user types from a
 * suggestion leaves the rest of it.
 */
export function continues(earlier: Suggestion | undefined, later: Suggestion): boolean {
  if (earlier?.document !== later.document) return false;
  const typed = later.offset - earlier.offset;
  return typed >= 0 && typed < earlier.text.length && earlier.text.slice(typed) === later.text;
}
