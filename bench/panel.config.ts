import { defineConfig } from 'vitest/config';

/** VS Code of the end-to-end tests, for bench/panel.mjs. */
export default defineConfig({
  test: {
    include: ['bench/panel.ts'],
    globalSetup: ['test/e2e/harness/globalSetup.ts'],
    testTimeout: 3_600_000,
    hookTimeout: 600_000,
    reporters: ['dot'],
  },
});
