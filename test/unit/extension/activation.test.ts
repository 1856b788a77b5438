import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';

interface Activation {
  readonly processorMs: number;
  readonly loaded: readonly string[];
  readonly subscriptions: number;
}

/** Activates in a fresh process, as VS Code does. Measures processor time, so other programs on the machine do not count. */
function activate(): Activation {
  return JSON.parse(execFileSync(process.execPath, ['test/support/activateExtension.mjs'], { encoding: 'utf8' }));
}

test('activation takes less than 50 ms and reads nothing but its own file', () => {
  const runs = Array.from({ length: 5 }, activate);
  for (const { loaded, subscriptions } of runs) {
    expect(loaded.filter((request) => !request.startsWith('node:'))).toEqual([]);
    expect(subscriptions).toBeGreaterThan(40);
  }
  expect(Math.min(...runs.map(({ processorMs }) => processorMs))).toBeLessThan(50);
});
