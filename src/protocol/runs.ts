/** @file The meaning of a run's state, shared by the process that keeps runs and everything that shows them. */
import type { RunEvent, RunsSnapshot, RunSummary } from './backend.js';
import type { RunState, RunStatus } from './run.js';

/** Whether a process is working on the run, or is about to. */
export function isLive(status: RunStatus): boolean {
  return canPause(status) || status === 'paused';
}

/** Whether no process works on the run, and none will before someone asks for it. */
export function isOver(status: RunStatus): boolean {
  return !isLive(status) && status !== 'queued';
}

/** A run that is being prepared pauses before its first step. */
export function canPause(status: RunStatus): boolean {
  return status === 'preparing' || status === 'running';
}

/** A paused run continues; for the others, a new process resumes from the last checkpoint. */
export function canResume(status: RunStatus): boolean {
  return ['paused', 'stopped', 'interrupted', 'failed'].includes(status);
}

/**
 * Whether the queue puts an interrupted run back: once, and not if it was probably memory that ran out, which would run out again.
 */
export function isToBeRequeued({ status, queuedAt, requeued, ifKilled }: RunState): boolean {
  return status === 'interrupted' && queuedAt !== null && !requeued && ifKilled === null;
}

/** Seconds until the last step at the run's pace so far; undefined if there is nothing to go by. */
export function secondsLeft({ state, lastStep }: RunSummary): number | undefined {
  if (state.status !== 'running' || !lastStep || lastStep.step === 0) return undefined;
  return (state.totalSteps - state.step) * (lastStep.elapsed_seconds / lastStep.step);
}

export function newestRunsFirst(runs: readonly RunSummary[]): RunSummary[] {
  return [...runs].sort((a, b) => b.state.startedAt.localeCompare(a.state.startedAt));
}

/** The updated snapshot. An event from before the snapshot changes nothing, since the snapshot already includes it. */
export function withEvent(known: RunsSnapshot, event: RunEvent): RunsSnapshot {
  if (event.seq <= known.throughSeq) return known;
  const runId = event.kind === 'changed' ? event.run.runId : event.runId;
  const others = known.runs.filter((run) => run.runId !== runId);
  const runs = event.kind === 'changed' ? newestRunsFirst([...others, event.run]) : others;
  return { runs, throughSeq: event.seq };
}

/** Whether an event reports nothing but progress. */
export function isProgress(known: RunsSnapshot, event: RunEvent): boolean {
  if (event.kind !== 'changed') return false;
  const before = known.runs.find(({ runId }) => runId === event.run.runId);
  return before !== undefined && withoutProgress(before) === withoutProgress(event.run);
}

/** Everything about a run that does not change from step to step. */
function withoutProgress(run: RunSummary): string {
  return JSON.stringify({ ...run, lastStep: null, state: { ...run.state, step: 0, epoch: 0, updatedAt: '' } });
}
