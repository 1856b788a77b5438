import { defineConfig } from 'vitest/config';

// Tests the webviews' bundles in a real browser. Needs Chromium: node scripts/chromium.mjs
export default defineConfig({
  test: {
    include: ['test/webview/**/*.test.ts'],
    globalSetup: 'test/webview/harness/build.ts',
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 10_000 } }, // a loaded machine may take longer than the usual second
  },
});
