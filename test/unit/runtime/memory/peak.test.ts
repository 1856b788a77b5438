import { afterEach, expect, test, vi } from 'vitest';
import { collectGarbage } from '../../../../src/runtime/memory/collectGarbage.js';
import { PeakSince } from '../../../../src/runtime/memory/peak.js';

const size = 300e6;

/** Touches that much memory and lets go of it. */
function pass(bytes: number): void {
  new Uint8Array(bytes).fill(1);
}

const { platform } = process;
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
  vi.restoreAllMocks();
});

test.runIf(platform === 'linux')('the peak of a run is its own, not that of what ran before it', () => {
  const before = new PeakSince();
  pass(size);
  const peakBefore = before.read();
  const during = new PeakSince();
  expect(during.read()).toBeLessThan(peakBefore - 0.8 * size);
  const start = during.read();
  pass(size / 2);
  expect(during.read() - start).toBeGreaterThan(0.4 * size);
});

test('where the mark cannot begin anew, it counts once it has risen; until then, what was read does', () => {
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  const before = new PeakSince();
  pass(size);
  const during = new PeakSince();
  expect(during.read()).toBeLessThan(before.read() - 0.8 * size);
  pass(1.5 * size);
  expect(during.read()).toBeGreaterThan(before.read() - 0.1 * size);
  collectGarbage();
  expect(during.read() - process.memoryUsage.rss()).toBeGreaterThan(size);
});
