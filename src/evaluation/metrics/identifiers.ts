/** @file Identifier F1 of CrossCodeEval (arXiv 2310.11248): which names of the truth a suggestion has, and which others. */

/**
 * F1 of the sets of identifiers in both texts, outside strings in quotes. CrossCodeEval gives 0 if neither has any; but then nothing is
 * wrong, so it is 1 here.
 */
export function identifierF1(suggestion: string, truth: string): number {
  const [suggested, wanted] = [identifiers(suggestion), identifiers(truth)];
  if (suggested.size + wanted.size === 0) return 1;
  const found = [...suggested].filter((name) => wanted.has(name)).length;
  return (2 * found) / (suggested.size + wanted.size);
}

const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs;

function identifiers(code: string): ReadonlySet<string> {
  const words = code.replaceAll(quoted, '').match(/[\p{L}\p{N}_]+/gu) ?? [];
  return new Set(words.filter((word) => /^[\p{L}_]/u.test(word) && !keywords.has(word)));
}

/** Of the languages that people train on most; a word that is a keyword in any of them is none of a project's own names. */
const keywords = new Set(
  `abstract and any as assert async auto await bool boolean break byte case catch chan char class const constexpr continue debugger
  def default defer del delete do double elif else elsif end enum except export extends extern false final finally float fn for
  foreach from fun func function global go goto if impl implements import in instanceof int interface internal is lambda let long
  loop match mod module mut namespace new nil none None nonlocal not null number object of operator or override package pass
  private protected pub public raise range readonly ref register rescue return self Self short signed sizeof static string struct
  super switch template then this throw throws trait true True False try type typedef typename typeof undefined union unless unsafe
  unsigned until use using val var virtual void volatile when where while with yield`.split(/\s+/),
);
