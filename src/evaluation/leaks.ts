/** @file Held-out files that the adapter has seen in training after all: copies, and files that are mostly the same. */
import CRC32 from 'crc-32';
import type { LeakedFile } from '../protocol/completionReport.js';
import type { SourceFile } from './positions.js';

/** The usual length of the runs of tokens by which contamination is told (GPT-3, arXiv 2005.14165, appendix C). */
const runLength = 13;
/** More than a licence header and the usual imports have in common. */
const tooMuch = 0.5;

export interface TrainingText {
  readonly path: string;
  readonly text: string;
}

/** For each held-out file that leaks, the file with which it shares most. Training files are read one at a time. */
export function findLeaks(heldOut: readonly SourceFile[], training: Iterable<TrainingText>): readonly LeakedFile[] {
  const runs = heldOut.map(({ text }) => runsOf(text));
  const owners = new Map<number, number[]>();
  runs.forEach((own, index) => own.forEach((run) => owners.set(run, [...(owners.get(run) ?? []), index])));
  const worst = new Map<number, LeakedFile>();
  for (const { path: trainedOn, text } of training) {
    const shared = new Map<number, number>();
    for (const run of runsOf(text)) for (const index of owners.get(run) ?? []) shared.set(index, (shared.get(index) ?? 0) + 1);
    for (const [index, count] of shared) {
      const share = count / runs[index]!.size;
      if (share > Math.max(tooMuch, worst.get(index)?.share ?? 0))
        worst.set(index, { path: heldOut[index]!.path, trainedOn, share });
    }
  }
  return [...worst.entries()].sort(([one], [other]) => one - other).map(([, leak]) => leak);
}

/** Checksums of the runs; a few that collide by chance change no verdict. A file shorter than a run is one run. */
function runsOf(text: string): ReadonlySet<number> {
  const tokens = text.match(/[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) ?? [];
  const runs = new Set<number>();
  for (let start = 0; start === 0 || start + runLength <= tokens.length; start++) {
    runs.add(CRC32.str(tokens.slice(start, start + runLength).join(' ')));
  }
  return runs;
}
