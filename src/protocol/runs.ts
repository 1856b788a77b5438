/** @file What the state of a run means, said once for the process that keeps runs and for everybody who shows them. */
import type { RunEvent, RunsSnapshot, RunSummary } from './backend.js';
import type { RunStatus } from './run.js';

/** A process works on it, or is about to. */
export function isLive(status: RunStatus): boolean {
  return canPause(status) || status === 'paused';
}

/** A run that is being prepared pauses before its first step. */
export function canPause(status: RunStatus): boolean {
  return status === 'preparing' || status === 'running';
}

/** A paused run goes on; of the others a new process takes up the last checkpoint. */
export function canResume(status: RunStatus): boolean {
  return ['paused', 'stopped', 'interrupted', 'failed'].includes(status);
}

/** Seconds until the last step at the pace of the run so far; undefined where there is none to tell it by. */
export function secondsLeft({ state, lastStep }: RunSummary): number | undefined {
  if (state.status !== 'running' || !lastStep || lastStep.step === 0) return undefined;
  return (state.totalSteps - state.step) * (lastStep.elapsed_seconds / lastStep.step);
}

export function newestRunsFirst(runs: readonly RunSummary[]): RunSummary[] {
  return [...runs].sort((a, b) => b.state.startedAt.localeCompare(a.state.startedAt));
}

/** The snapshot brought up to date. An event sent before it was made changes nothing: the snapshot holds that already. */
export function withEvent(known: RunsSnapshot, event: RunEvent): RunsSnapshot {
  if (event.seq <= known.throughSeq) return known;
  const runId = event.kind === 'changed' ? event.run.runId : event.runId;
  const others = known.runs.filter((run) => run.runId !== runId);
  const runs = event.kind === 'changed' ? newestRunsFirst([...others, event.run]) : others;
  return { runs, throughSeq: event.seq };
}

/** Whether an event tells of nothing but how far a run has come. */
export function isProgress(known: RunsSnapshot, event: RunEvent): boolean {
  if (event.kind !== 'changed') return false;
  const before = known.runs.find(({ runId }) => runId === event.run.runId);
  return before !== undefined && withoutProgress(before) === withoutProgress(event.run);
}

/** All of a run that does not change from step to step. */
function withoutProgress({ lastStep: _lastStep, state, ...rest }: RunSummary): string {
  const { step: _step, epoch: _epoch, updatedAt: _updatedAt, ...lasting } = state;
  return JSON.stringify([rest, lasting]);
}
