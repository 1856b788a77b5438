import { expect, test } from 'vitest';
import { endedRuns } from '../../../src/extension/endedRuns.js';
import type { RunStatus } from '../../../src/protocol/run.js';
import { run } from '../../webview/harness/scenes.js';

const now = Date.parse('2026-08-20T12:00:00Z'); // an hour and forty minutes after the runs of the scenes

function look(live: readonly string[], statuses: Readonly<Record<string, RunStatus>>, at = now) {
  const { ended, live: kept } = endedRuns(
    live,
    Object.entries(statuses).map(([name, status]) => run(name, status, 5, 10)),
    at,
  );
  return { ended: ended.map(({ runId }) => runId.split('/').at(-1)), live: kept };
}
const a = '/workspace/runs/a';

test('a run that went on and has ended is told of, once', () => {
  const first = look([], { a: 'running', b: 'finished' });
  expect(first).toEqual({ ended: [], live: [a] });
  const second = look(first.live, { a: 'finished', b: 'finished' });
  expect(second).toEqual({ ended: ['a'], live: [] });
  expect(look(second.live, { a: 'finished' }).ended).toEqual([]);
});

test.each([['failed'], ['interrupted']] as const)('so is one that %s', (status) => {
  expect(look([a], { a: status }).ended).toEqual(['a']);
});

test('one that its user stopped, or that ended long ago, is not', () => {
  expect(look([a], { a: 'stopped' })).toEqual({ ended: [], live: [] });
  expect(look([a], { a: 'finished' }, now + 7 * 86_400_000)).toEqual({ ended: [], live: [] });
});

test('a run that is not listed yet, while the window opens, is waited for', () => {
  const early = look([a], {});
  expect(early).toEqual({ ended: [], live: [a] });
  expect(look(early.live, { a: 'finished' }).ended).toEqual(['a']);
});

test('one that waits is told of when its turn has come and gone; one that the queue puts back has not ended', () => {
  const waiting = look([], { a: 'queued' });
  expect(waiting).toEqual({ ended: [], live: [a] });
  expect(look(waiting.live, { a: 'failed' }).ended).toEqual(['a']);
  const killed = run('a', 'interrupted', 5, 10);
  const inQueue = (requeued: boolean) => [{ ...killed, state: { ...killed.state, queuedAt: '2026-08-20T10:00:00Z', requeued } }];
  expect(endedRuns([a], inQueue(false), now)).toEqual({ ended: [], live: [a] });
  expect(endedRuns([a], inQueue(true), now).ended).toHaveLength(1);
});
