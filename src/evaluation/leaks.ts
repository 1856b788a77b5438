/** @file Held-out files that the adapter has seen in training after all: copies, and files that are mostly the same. */
import { copiedShares, largestCopiedShare } from '../core/data/similarity.js';
import type { LeakedFile } from '../protocol/completionReport.js';
import type { SourceFile } from './positions.js';

export interface TrainingText {
  readonly path: string;
  readonly text: string;
}

/** For each held-out file that leaks, the file from which most of it is known. Training files are read one at a time. */
export function findLeaks(heldOut: readonly SourceFile[], training: Iterable<TrainingText>): readonly LeakedFile[] {
  const trainedPaths: string[] = [];
  function* trainingTexts(): Generator<string> {
    for (const { path, text } of training) {
      trainedPaths.push(path);
      yield text;
    }
  }
  const shares = copiedShares(
    heldOut.map(({ text }) => text),
    trainingTexts(),
  );
  return heldOut.flatMap(({ path }, index) => {
    const { share, source } = shares[index]!;
    return share > largestCopiedShare ? [{ path, trainedOn: trainedPaths[source]!, share }] : [];
  });
}
