import { join } from 'node:path';
import type { RunSummary } from '../protocol/backend.js';
import { isLive } from '../protocol/runs.js';

/**
 * The paths of a run's adapters, first the one to use: the best by held-out loss once the run has ended, the newest while it trains
 * or if nothing was held out.
 */
export function adaptersOfRun({ runId, state }: Pick<RunSummary, 'runId' | 'state'>): readonly [string, ...string[]] {
  const newest = join(runId, 'adapter');
  return state.bestStep === null || isLive(state.status) ? [newest] : [join(runId, 'adapter-best'), newest];
}
