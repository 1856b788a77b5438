import { expect, test } from 'vitest';
import type { RunSummary } from '../../../src/protocol/backend.js';
import { CrashBudget } from '../../../src/extension/crashBudget.js';
import { noRuns, reduceRuns, secondsLeft, sortedRuns } from '../../../src/extension/runStore.js';

function run(runId: string, startedAt: string, step = 0): RunSummary {
  const state = {
    status: 'running' as const,
    step,
    totalSteps: 100,
    epoch: 0,
    pid: 1,
    processStart: null,
    ifKilled: null,
    device: 'CPU',
    startedAt,
    updatedAt: startedAt,
    bestEvalLoss: null,
    bestStep: null,
    trainableParameters: 1,
    message: null,
  };
  return { runId, name: runId, model: 'm', dataPath: 'd', state, lastStep: null, hasAdapter: false };
}

test('events that the snapshot holds already change nothing; later ones do', () => {
  const snapshot = { runs: [run('a', '2026-01-01', 5)], throughSeq: 7 };
  const state = reduceRuns(noRuns, { kind: 'snapshot', snapshot });
  const late = reduceRuns(state, { kind: 'event', event: { seq: 7, kind: 'changed', run: run('a', '2026-01-01', 4) } });
  expect(late).toBe(state);
  const next = reduceRuns(state, { kind: 'event', event: { seq: 8, kind: 'changed', run: run('b', '2026-01-02') } });
  expect(sortedRuns(next).map(({ runId }) => runId)).toEqual(['b', 'a']);
  const gone = reduceRuns(next, { kind: 'event', event: { seq: 9, kind: 'removed', runId: 'a' } });
  expect([...gone.runs.keys()]).toEqual(['b']);
  expect(state.runs.size).toBe(1);
});

test('a new backend counts from the start again, and its snapshot replaces everything', () => {
  const old = reduceRuns(noRuns, { kind: 'snapshot', snapshot: { runs: [run('a', '1')], throughSeq: 500 } });
  const fresh = reduceRuns(old, { kind: 'snapshot', snapshot: { runs: [], throughSeq: 1 } });
  const next = reduceRuns(fresh, { kind: 'event', event: { seq: 2, kind: 'changed', run: run('c', '2') } });
  expect([...next.runs.keys()]).toEqual(['c']);
});

test('time left follows from the rate so far', () => {
  const lastStep = { step: 20, loss: 1, learning_rate: 1, grad_norm: 1, tokens: 1, tokens_per_second: 1, elapsed_seconds: 10, peak_memory_bytes: 1 };
  expect(secondsLeft({ ...run('a', '1', 20), lastStep })).toBeCloseTo(40);
  expect(secondsLeft(run('a', '1'))).toBeUndefined();
});

test('five crashes in three minutes are borne, a sixth is not, and time heals', () => {
  let now = 0;
  const budget = new CrashBudget(5, 180_000, () => now);
  expect([1, 2, 3, 4, 5].map(() => budget.spend())).toEqual([true, true, true, true, true]);
  expect(budget.spend()).toBe(false);
  now = 200_000;
  expect(budget.spend()).toBe(true);
});
