import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ProcessUse } from '../../../src/runtime/processUse.js';

/** Keeps one core busy for this much processor time, however long that takes on a loaded machine. */
function work(milliseconds: number): void {
  const from = process.cpuUsage();
  while (process.cpuUsage(from).user / 1000 < milliseconds) Math.sqrt(2);
}

test('working is told from waiting, and what lies before a restart does not count', async () => {
  const use = new ProcessUse();
  const began = performance.now();
  work(200);
  const busy = use.read();
  const wall = performance.now() - began;
  expect(busy.cpuPercent).toBeGreaterThanOrEqual(Math.floor((100 * 200) / wall));
  expect(busy.memoryBytes).toBeGreaterThan(1e7);

  work(200);
  use.restart();
  await sleep(400);
  expect(use.read().cpuPercent).toBeLessThan(busy.cpuPercent);
});
