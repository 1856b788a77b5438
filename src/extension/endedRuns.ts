import type { RunSummary } from '../protocol/backend.js';
import { isOver, isToBeRequeued } from '../protocol/runs.js';

/** Runs that ended longer ago than this are not reported. */
const longestDelayMs = 24 * 60 * 60 * 1000;

export interface EndedRuns {
  /** Runs that were live or waiting at the last check and have since ended without being told to. */
  readonly ended: readonly RunSummary[];
  /** What to remember until the next check. */
  readonly live: readonly string[];
}

/** `live` are the runs that were live or waiting at the last check, perhaps of an earlier window. An unlisted run may be listed later. */
export function endedRuns(live: readonly string[], runs: readonly RunSummary[], now: number): EndedRuns {
  const known = new Map(runs.map((run) => [run.runId, run]));
  const ended = live
    .flatMap((runId) => known.get(runId) ?? [])
    .filter((run) => hasEnded(run) && now - Date.parse(run.state.updatedAt) < longestDelayMs);
  const unseen = live.filter((runId) => !known.has(runId));
  return { ended, live: [...unseen, ...runs.filter(goesOn).map(({ runId }) => runId)].sort() };
}

function goesOn({ state }: RunSummary): boolean {
  return !isOver(state.status) || isToBeRequeued(state);
}

function hasEnded(run: RunSummary): boolean {
  return !goesOn(run) && ['finished', 'failed', 'interrupted'].includes(run.state.status);
}
