import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/unit/**/*.test.ts'],
    globalSetup: 'test/unit/buildPrograms.ts',
    setupFiles: 'test/unit/fuzzSeed.ts',
    // Two workers at most: the machines that run this have two cores and the numerics use both.
    maxWorkers: 2,
    testTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } }, // a loaded machine may take longer than the usual second
  },
});
