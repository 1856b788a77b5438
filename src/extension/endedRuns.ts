import type { RunSummary } from '../protocol/backend.js';
import { isLive } from '../protocol/runs.js';

/** Later than this after its end, nobody wants to be told of a run. */
const longestDelayMs = 24 * 60 * 60 * 1000;

export interface EndedRuns {
  /** Runs that went on at the last look and have ended since, without being told to. */
  readonly ended: readonly RunSummary[];
  /** What to remember until the next look. */
  readonly live: readonly string[];
}

/** `live`: the runs that went on at the last look, perhaps of an earlier window. A run that is not listed may be listed later. */
export function endedRuns(live: readonly string[], runs: readonly RunSummary[], now: number): EndedRuns {
  const known = new Map(runs.map((run) => [run.runId, run]));
  const ended = live
    .flatMap((runId) => known.get(runId) ?? [])
    .filter((run) => hasEnded(run) && now - Date.parse(run.state.updatedAt) < longestDelayMs);
  const unseen = live.filter((runId) => !known.has(runId));
  return { ended, live: [...unseen, ...runs.filter(({ state }) => isLive(state.status)).map(({ runId }) => runId)].sort() };
}

function hasEnded({ state }: RunSummary): boolean {
  return ['finished', 'failed', 'interrupted'].includes(state.status);
}
