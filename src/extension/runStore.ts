import type { RunEvent, RunsSnapshot, RunSummary } from '../protocol/backend.js';

/** What this window knows about runs: a projection of the run directories, kept up to date by the backend's events. */
export interface RunStoreState {
  readonly runs: ReadonlyMap<string, RunSummary>;
  /** The last event that is in here. */
  readonly throughSeq: number;
}

export const noRuns: RunStoreState = { runs: new Map(), throughSeq: 0 };

export type RunAction =
  | { readonly kind: 'snapshot'; readonly snapshot: RunsSnapshot }
  | { readonly kind: 'event'; readonly event: RunEvent };

export function reduceRuns(state: RunStoreState, action: RunAction): RunStoreState {
  switch (action.kind) {
    case 'snapshot': {
      const { runs, throughSeq } = action.snapshot;
      return { runs: new Map(runs.map((run) => [run.runId, run])), throughSeq };
    }
    case 'event':
      // Sent before the snapshot was made: it holds that already.
      return action.event.seq <= state.throughSeq ? state : applyEvent(state, action.event);
  }
}

function applyEvent(state: RunStoreState, event: RunEvent): RunStoreState {
  const runs = new Map(state.runs);
  switch (event.kind) {
    case 'changed':
      runs.set(event.run.runId, event.run);
      break;
    case 'removed':
      runs.delete(event.runId);
      break;
  }
  return { runs, throughSeq: event.seq };
}

/** Newest first. */
export function sortedRuns({ runs }: RunStoreState): RunSummary[] {
  return [...runs.values()].sort((a, b) => b.state.startedAt.localeCompare(a.state.startedAt));
}

export function isTraining({ state }: RunSummary): boolean {
  return state.status === 'preparing' || state.status === 'running';
}

export function isLive(run: RunSummary): boolean {
  return isTraining(run) || run.state.status === 'paused';
}

export function canResume({ state }: RunSummary): boolean {
  return ['paused', 'stopped', 'interrupted', 'failed'].includes(state.status);
}

/** Seconds until the last step, from the rate of the last one; undefined while nothing is known. */
export function secondsLeft({ state, lastStep }: RunSummary): number | undefined {
  if (!lastStep || lastStep.step === 0 || lastStep.elapsed_seconds === 0) return undefined;
  return ((state.totalSteps - state.step) * lastStep.elapsed_seconds) / lastStep.step;
}
