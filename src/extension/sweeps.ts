import { basename } from 'node:path';
import type { RunSummary } from '../protocol/backend.js';
import { compareNaturally } from '../protocol/naturalOrder.js';

/** A sweep as the lists show it. */
export interface SweepOfRuns {
  /** The absolute path of its folder. */
  readonly sweepId: string;
  readonly name: string;
  readonly runs: readonly RunSummary[];
}

/** The sweeps that the runs belong to, in the order in which they are met, each with its runs by name. */
export function sweepsOf(runs: readonly RunSummary[]): readonly SweepOfRuns[] {
  const members = new Map<string, RunSummary[]>();
  for (const run of runs) {
    if (run.sweepId === null) continue;
    members.set(run.sweepId, [...(members.get(run.sweepId) ?? []), run]);
  }
  return [...members].map(([sweepId, own]) => ({
    sweepId,
    name: basename(sweepId),
    runs: own.sort((a, b) => compareNaturally(a.name, b.name)),
  }));
}
