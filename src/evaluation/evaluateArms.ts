import { setImmediate as eventLoopTurn } from 'node:timers/promises';
import type { CompletionArm } from '../protocol/completionReport.js';
import type { Completer } from './completer.js';
import type { Position } from './positions.js';
import type { CaseResult, ResultsFile } from './results.js';
import { unrelatedTexts } from './unrelatedText.js';

export interface Evaluation {
  readonly positions: readonly Position[];
  readonly arms: readonly CompletionArm[];
}

/**
 * Asks every arm at every position, and writes what it says. What is in the file already is not asked again. All arms answer at one
 * position before the next, so that whatever is there when it ends early can be compared. Throws the signal's reason when aborted.
 */
export async function evaluateArms(
  { positions, arms }: Evaluation,
  completer: Completer,
  results: Pick<ResultsFile, 'cases' | 'unrelated' | 'append'>,
  report: (done: number, total: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const key = (position: number, arm: number): string => `${position} ${arm}`;
  const known = new Set(results.cases().map(({ position, arm }) => key(position, arm)));
  const total = positions.length * arms.length;
  for (const [index, position] of positions.entries()) {
    for (const [arm, each] of arms.entries()) {
      if (known.has(key(index, arm))) continue;
      results.append({ position: index, arm, ...(await askedAt(completer, position, each, signal)) });
      known.add(key(index, arm));
      report(known.size, total);
      await eventLoopTurn();
    }
  }
  const measured = new Set(results.unrelated().map(({ arm }) => arm));
  for (const [arm, each] of arms.entries()) {
    if (!measured.has(arm)) results.append({ arm, unrelatedBits: await unrelatedBits(completer, each, signal) });
  }
}

async function askedAt(
  completer: Completer,
  position: Position,
  arm: CompletionArm,
  signal: AbortSignal,
): Promise<Omit<CaseResult, 'position' | 'arm'>> {
  signal.throwIfAborted();
  const started = performance.now();
  const { text, replaced, endedBy } = await completer.suggest(position, arm, signal);
  const milliseconds = performance.now() - started;
  // A suggestion that was cut short by the signal is none.
  signal.throwIfAborted();
  return { text, replaced, endedBy, milliseconds, bits: await completer.bits(position, arm, signal) };
}

async function unrelatedBits(completer: Completer, arm: CompletionArm, signal: AbortSignal): Promise<number> {
  let sum = 0;
  for (const { beginning, text } of unrelatedTexts) {
    signal.throwIfAborted();
    sum += await completer.bitsOfText(beginning, text, arm, signal);
  }
  return sum;
}
