import { expect, test } from 'vitest';
import type { RunSummary } from '../../../src/protocol/backend.js';
import { runStatuses } from '../../../src/protocol/run.js';
import {
  canPause,
  canResume,
  isLive,
  isOver,
  isProgress,
  newestRunsFirst,
  secondsLeft,
  withEvent,
} from '../../../src/protocol/runs.js';
import { run as runOf } from '../../webview/harness/scenes.js';

const run = (name: string, startedAt: string, step = 5) => runOf(name, 'running', step, 100, startedAt);
const names = (runs: readonly RunSummary[]) => runs.map(({ name }) => name);

test('what can be done with a run follows from its status', () => {
  expect(runStatuses.filter(isLive)).toEqual(['preparing', 'running', 'paused']);
  expect(runStatuses.filter(isOver)).toEqual(['stopped', 'finished', 'failed', 'interrupted']);
  expect(runStatuses.filter(canPause)).toEqual(['preparing', 'running']);
  expect(runStatuses.filter(canResume)).toEqual(['paused', 'stopped', 'failed', 'interrupted']);
});

test('events that the snapshot holds already change nothing; later ones do', () => {
  const snapshot = { runs: [run('a', '2026-01-01')], throughSeq: 7 };
  expect(withEvent(snapshot, { seq: 7, kind: 'changed', run: run('a', '2026-01-01', 4) })).toBe(snapshot);
  const changed = withEvent(snapshot, { seq: 8, kind: 'changed', run: run('a', '2026-01-01', 6) });
  expect(changed).toMatchObject({ runs: [{ name: 'a', state: { step: 6 } }], throughSeq: 8 });
  const more = withEvent(changed, { seq: 9, kind: 'changed', run: run('b', '2026-01-02') });
  expect(names(more.runs)).toEqual(['b', 'a']);
  const fewer = withEvent(more, { seq: 10, kind: 'removed', runId: run('a', '').runId });
  expect(names(fewer.runs)).toEqual(['b']);
  expect(names(snapshot.runs)).toEqual(['a']);
});

test('a step alone is progress; a new run, another status, name or best loss, and an end are changes', () => {
  const before = run('a', '2026-01-01');
  const snapshot = { runs: [before], throughSeq: 7 };
  const after = (run: RunSummary) => isProgress(snapshot, { seq: 8, kind: 'changed', run });
  const { state } = before;
  expect(after({ ...before, lastStep: { ...before.lastStep!, step: 6 }, state: { ...state, step: 6, epoch: 0.2 } })).toBe(true);
  expect(after({ ...before, name: 'renamed' })).toBe(false);
  expect(after({ ...before, hasAdapter: !before.hasAdapter })).toBe(false);
  expect(after({ ...before, state: { ...state, status: 'paused' } })).toBe(false);
  expect(after({ ...before, state: { ...state, step: 6, bestEvalLoss: 1.5, bestStep: 6 } })).toBe(false);
  expect(after(run('b', '2026-01-02'))).toBe(false);
  expect(isProgress(snapshot, { seq: 8, kind: 'removed', runId: before.runId })).toBe(false);
});

test('the newest run comes first', () => {
  const runs = [run('b', '2026-01-02T09:00:00Z'), run('a', '2026-01-02T10:00:00Z'), run('c', '2025-12-31T10:00:00Z')];
  expect(names(newestRunsFirst(runs))).toEqual(['a', 'b', 'c']);
  expect(names(runs)).toEqual(['b', 'a', 'c']);
});

test('time left follows from the pace so far, while there is one', () => {
  const going = run('a', '2026-01-01', 20);
  const lastStep = { ...going.lastStep!, step: 20, elapsed_seconds: 10 };
  expect(secondsLeft({ ...going, lastStep })).toBeCloseTo(40);
  expect(secondsLeft({ ...going, lastStep: null })).toBeUndefined();
  expect(secondsLeft({ ...going, lastStep: { ...lastStep, step: 0 } })).toBeUndefined();
  expect(secondsLeft({ ...going, lastStep, state: { ...going.state, status: 'paused' } })).toBeUndefined();
});
