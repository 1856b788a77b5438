import type { CompletionScores } from '../../protocol/completionReport.js';
import type { Insertion } from '../../complete/insertion.js';
import type { Position } from '../positions.js';
import type { CaseResult } from '../results.js';
import { editSimilarity, levenshteinDistances } from './editDistance.js';
import { identifierF1 } from './identifiers.js';

/** What is compared: the suggestion and the truth, up to the same place in the text after the cursor. */
export interface Compared {
  readonly suggestion: string;
  readonly truth: string;
}

/** A suggestion may replace characters after the cursor and repeat them; those are what follows the truth, too. */
export function compared({ text, replaced }: Insertion, { middle, suffix }: Pick<Position, 'middle' | 'suffix'>): Compared {
  const behind = suffix.slice(0, replaced);
  if (text.endsWith(behind)) return { suggestion: text.slice(0, text.length - behind.length), truth: middle };
  return { suggestion: text, truth: middle + behind };
}

/** The scores of one suggestion. */
export function scoresOf(
  result: Pick<CaseResult, 'text' | 'replaced' | 'endedBy' | 'bits'>,
  position: Position,
): CompletionScores {
  const { suggestion, truth } = compared(result, position);
  const { full, optimal } = levenshteinDistances(suggestion, truth);
  return {
    exactMatch: Number(sameWords(suggestion, truth)),
    firstLine: Number(sameWords(firstLine(suggestion), firstLine(truth))),
    editSimilarity: editSimilarity(suggestion.trim(), truth.trim()),
    identifierF1: identifierF1(suggestion, truth),
    stopRate: Number(result.endedBy === 'model'),
    bitsPerByte: result.bits / bytesOf(position.middle),
    fullLevenshtein: full,
    optimalLevenshtein: optimal,
  };
}

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** RepoBench's exact match: `prediction.split() == truth.split()`, so that only the amount of white space may differ. */
function sameWords(one: string, other: string): boolean {
  return words(one).join(' ') === words(other).join(' ');
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}

/** The first line with something on it. */
function firstLine(text: string): string {
  return text.trimStart().split('\n', 1)[0]!;
}
