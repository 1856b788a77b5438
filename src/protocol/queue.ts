/** @file The order in which the runs of a folder are trained, shared by the process that trains them and everything that shows them. */
import { compareNaturally } from './naturalOrder.js';
import type { RunState } from './run.js';
import { isLive } from './runs.js';

interface Queued {
  /** The absolute path of the run directory. */
  readonly runId: string;
  readonly state: Pick<RunState, 'status' | 'queuedAt' | 'step'>;
}

interface Placed extends Queued {
  readonly sweepId: string | null;
}

/** Those that wait, in the order of their turns: first come, first served; of those that came together, the least trained first. */
export function inQueueOrder<Run extends Queued>(runs: readonly Run[]): Run[] {
  return runs.filter(({ state }) => state.status === 'queued').sort(compareTurns);
}

function compareTurns(a: Queued, b: Queued): number {
  return (
    (a.state.queuedAt ?? '').localeCompare(b.state.queuedAt ?? '') ||
    a.state.step - b.state.step ||
    compareNaturally(a.runId, b.runId)
  );
}

/** The runs folder whose queue the run belongs to. */
export function queueOf({ runId, sweepId }: Pick<Placed, 'runId' | 'sweepId'>): string {
  return (sweepId ?? runId).replace(/[/\\][^/\\]*$/, '');
}

/** What is trained before a new run of the folder: what is under way there, then what waits, in order. */
export function aheadOfNew<Run extends Placed>(runs: readonly Run[], folder: string): Run[] {
  const here = runs.filter((run) => queueOf(run) === folder);
  return [...here.filter(({ state }) => isLive(state.status)), ...inQueueOrder(here)];
}

export interface Turn<Run> {
  /** Its place among those that wait, from 1. */
  readonly place: number;
  /** What is trained before it. */
  readonly ahead: readonly Run[];
}

/** Undefined for a run that does not wait. */
export function turnOf<Run extends Placed>(runs: readonly Run[], run: Run): Turn<Run> | undefined {
  if (run.state.status !== 'queued') return undefined;
  const all = aheadOfNew(runs, queueOf(run));
  const ahead = all.slice(
    0,
    all.findIndex(({ runId }) => runId === run.runId),
  );
  return { place: 1 + ahead.filter(({ state }) => state.status === 'queued').length, ahead };
}
