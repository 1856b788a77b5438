/** @file The order in which the runs of a folder are trained, shared by the process that trains them and everything that shows them. */
import type { RunState } from './run.js';

interface Queued {
  /** The absolute path of the run directory. */
  readonly runId: string;
  readonly state: Pick<RunState, 'status' | 'queuedAt' | 'step'>;
}

const natural = new Intl.Collator('en', { numeric: true });

/** Those that wait, in the order of their turns: first come, first served; of those that came together, the least trained first. */
export function inQueueOrder<Run extends Queued>(runs: readonly Run[]): Run[] {
  return runs.filter(({ state }) => state.status === 'queued').sort(compareTurns);
}

function compareTurns(a: Queued, b: Queued): number {
  return (
    (a.state.queuedAt ?? '').localeCompare(b.state.queuedAt ?? '') ||
    a.state.step - b.state.step ||
    natural.compare(a.runId, b.runId)
  );
}
