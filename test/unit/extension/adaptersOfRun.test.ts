import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adaptersOfRun } from '../../../src/extension/adaptersOfRun.js';
import type { RunState } from '../../../src/protocol/run.js';

const of = (status: RunState['status'], bestStep: number | null) =>
  adaptersOfRun({ runId: '/runs/first', state: { status, bestStep } as RunState });

test('the best adapter of an ended run comes first, the newest while it trains', () => {
  const [newest, best] = [join('/runs/first', 'adapter'), join('/runs/first', 'adapter-best')];
  expect(of('finished', 40)).toEqual([best, newest]);
  expect(of('stopped', 40)).toEqual([best, newest]);
  expect(of('running', 40)).toEqual([newest]);
  expect(of('finished', null)).toEqual([newest]);
});
