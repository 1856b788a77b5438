import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// If there is no GPU, the software Vulkan driver in Debian's chromium is used; a driver named by the user takes precedence.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const driver = process.env['VK_DRIVER_FILES'] ?? (existsSync(softwareDriver) ? softwareDriver : undefined);

export default defineConfig({
  test: {
    include: ['test/webgpu/**/*.test.ts'],
    env: { ...(driver && { VK_DRIVER_FILES: driver }), XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? '/tmp' },
    // A provider that aborts must not bring down the other tests.
    pool: 'forks',
    testTimeout: 300_000,
  },
});
