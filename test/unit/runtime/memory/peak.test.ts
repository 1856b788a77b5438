import { runInNewContext } from 'node:vm';
import { setFlagsFromString } from 'node:v8';
import { afterEach, expect, test, vi } from 'vitest';
import { PeakSince } from '../../../../src/runtime/memory/peak.js';

setFlagsFromString('--expose_gc');
const collect = runInNewContext('gc') as () => void;
const size = 300e6;

/** Touches that much memory and gives it back. */
async function pass(bytes: number): Promise<void> {
  new Uint8Array(bytes).fill(1);
  for (let times = 0; times < 3; times++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const { platform } = process;
afterEach(() => {
  Object.defineProperty(process, 'platform', { value: platform });
  vi.restoreAllMocks();
});

test.runIf(platform === 'linux')('the peak of a run is its own, not that of what ran before it', async () => {
  const before = new PeakSince();
  await pass(size);
  const peakBefore = before.read();
  const during = new PeakSince();
  expect(during.read()).toBeLessThan(peakBefore - 0.8 * size);
  const start = during.read();
  await pass(size / 2);
  expect(during.read() - start).toBeGreaterThan(0.4 * size);
});

test('where the mark cannot begin anew, it counts once it has risen; until then, what was read does', async () => {
  Object.defineProperty(process, 'platform', { value: 'darwin' });
  const before = new PeakSince();
  await pass(size);
  const during = new PeakSince();
  expect(during.read()).toBeLessThan(before.read() - 0.8 * size);
  await pass(1.5 * size);
  expect(during.read()).toBeGreaterThan(before.read() - 0.1 * size);
  expect(during.read() - process.memoryUsage.rss()).toBeGreaterThan(size);
});
