/**
 * The words by which code is found, in lower case: every identifier as it is and, if it is made of several words, these too
 * (`maxNewTokens`, `max_new_tokens`). A single letter tells nothing.
 */
export function codeTerms(text: string): string[] {
  const identifiers = text.match(/[\p{L}_][\p{L}\p{N}_]*/gu) ?? [];
  return identifiers.flatMap(termsOf).filter((term) => term.length > 1);
}

const wordEnds = /_+|(?<=[\p{Ll}\p{N}])(?=\p{Lu})|(?<=\p{Lu})(?=\p{Lu}\p{Ll})/u;

function termsOf(identifier: string): string[] {
  return [...new Set([identifier, ...identifier.split(wordEnds)].map((word) => word.toLowerCase()))];
}
