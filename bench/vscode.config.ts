import { defineConfig } from 'vitest/config';

/** Measurements and pictures in the VS Code of the end-to-end tests: bench/panel.mjs, bench/pictures.mjs. */
export default defineConfig({
  test: {
    include: [`bench/${process.env['BENCH']}.ts`],
    globalSetup: ['test/e2e/harness/globalSetup.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    reporters: ['dot'],
  },
});
