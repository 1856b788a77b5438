import { expect, test } from 'vitest';
import { ordinal } from '../../../src/l10n/ordinal.js';
import { aheadOfNew, inQueueOrder, turnOf } from '../../../src/protocol/queue.js';
import type { RunStatus } from '../../../src/protocol/run.js';
import { run as runOf } from '../../webview/harness/scenes.js';

function run(name: string, status: RunStatus, minute = 0, sweepId: string | null = null) {
  const made = runOf(name, status, 5, 10);
  return { ...made, sweepId, state: { ...made.state, queuedAt: `2026-01-01T00:0${minute}:00Z` } };
}
const names = (runs: readonly { name: string }[]) => runs.map(({ name }) => name);

const runs = [
  run('c', 'queued', 3),
  run('done', 'finished'),
  run('sweep/r=16', 'queued', 2, '/workspace/runs/sweep'),
  run('sweep/r=2', 'queued', 2, '/workspace/runs/sweep'),
  run('paused', 'paused', 1),
  { ...run('elsewhere', 'queued', 0), runId: 'C:\\other\\runs\\elsewhere' },
];

test('a run waits for what is under way in its folder and for what came before it, in sweeps too', () => {
  expect(names(inQueueOrder(runs))).toEqual(['elsewhere', 'sweep/r=2', 'sweep/r=16', 'c']);
  expect(names(aheadOfNew(runs, '/workspace/runs'))).toEqual(['paused', 'sweep/r=2', 'sweep/r=16', 'c']);
  const turn = turnOf(runs, runs[0]!)!;
  expect([turn.place, ...names(turn.ahead)]).toEqual([3, 'paused', 'sweep/r=2', 'sweep/r=16']);
  expect(turnOf(runs, runs[5]!)).toEqual({ place: 1, ahead: [] });
  expect(turnOf(runs, runs[4]!)).toBe(undefined);
});

test('places are counted as people count', () => {
  expect([1, 2, 3, 4, 11, 12, 21, 102].map((place) => ordinal(place))).toEqual([
    '1st',
    '2nd',
    '3rd',
    '4th',
    '11th',
    '12th',
    '21st',
    '102nd',
  ]);
  expect(ordinal(2, 'zh-cn')).toBe('2');
});
