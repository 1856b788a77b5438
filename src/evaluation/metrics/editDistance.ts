/** @file Edit distances between a suggestion and the truth, in UTF-16 code units as everywhere in the editor. */

export interface LevenshteinDistances {
  /** Of the whole suggestion. */
  readonly full: number;
  /** Of the beginning of the suggestion that is closest to the truth: what remains if one knew where to stop (arXiv 2602.05780). */
  readonly optimal: number;
}

/** The last column of the table of distances has those of all beginnings of the suggestion, so that one pass gives both. */
export function levenshteinDistances(suggestion: string, truth: string): LevenshteinDistances {
  let row = Array.from({ length: truth.length + 1 }, (_, column) => column);
  let optimal = truth.length;
  for (let at = 1; at <= suggestion.length; at++) {
    const next = [at];
    for (let column = 1; column <= truth.length; column++) {
      const substituted = row[column - 1]! + (suggestion[at - 1] === truth[column - 1] ? 0 : 1);
      next.push(Math.min(substituted, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
    optimal = Math.min(optimal, row[truth.length]!);
  }
  return { full: row[truth.length]!, optimal };
}

/**
 * 1 − indel / (|a| + |b|), where indel counts insertions and deletions only: the `fuzz.ratio` of RepoBench and CrossCodeEval, not
 * rounded to whole percents. RepoCoder's edit similarity is another number, 1 − Levenshtein / max(|a|, |b|).
 */
export function editSimilarity(one: string, other: string): number {
  const total = one.length + other.length;
  return total === 0 ? 1 : (2 * longestCommonSubsequence(one, other)) / total;
}

function longestCommonSubsequence(one: string, other: string): number {
  let row = new Array<number>(other.length + 1).fill(0);
  for (let at = 1; at <= one.length; at++) {
    const next = [0];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one[at - 1] === other[column - 1];
      next.push(isSame ? row[column - 1]! + 1 : Math.max(row[column]!, next[column - 1]!));
    }
    row = next;
  }
  return row[other.length]!;
}
