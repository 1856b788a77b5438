/** @file results.jsonl of an evaluation: one line for each position and arm, appended as they come, so that it can be continued. */
import { count, nullable, number, object, oneOf, string, type Guard } from '../protocol/guard.js';
import { appendLine, readLines, type LineFormat } from '../runs/jsonLines.js';

export interface CaseResult {
  /** Index of the position. */
  readonly position: number;
  /** Index of the arm. */
  readonly arm: number;
  readonly text: string;
  readonly replaced: number;
  readonly endedBy: 'model' | 'rule' | 'length' | null;
  readonly milliseconds: number;
  /** −log2 of the probability of what was really written there. */
  readonly bits: number;
}

/** How well an arm predicts the text that has nothing to do with the workspace. */
export interface UnrelatedResult {
  readonly arm: number;
  readonly unrelatedBits: number;
}

export class ResultsFile {
  constructor(private readonly path: string) {}

  cases(): readonly CaseResult[] {
    return readLines(this.path, lineOf(caseResult));
  }

  unrelated(): readonly UnrelatedResult[] {
    return readLines(this.path, lineOf(unrelatedResult));
  }

  append(result: CaseResult | UnrelatedResult): void {
    appendLine(this.path, result);
  }
}

const caseResult: Guard<CaseResult> = object({
  position: count,
  arm: count,
  text: string,
  replaced: count,
  endedBy: nullable(oneOf('model', 'rule', 'length')),
  milliseconds: number,
  bits: number,
});
const unrelatedResult: Guard<UnrelatedResult> = object({ arm: count, unrelatedBits: number });

function lineOf<T>(guard: Guard<T>): LineFormat<T> {
  return { maxCharacters: 1 << 19, parse: (value) => (guard(value) ? value : undefined) };
}
