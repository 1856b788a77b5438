import { existsSync } from 'node:fs';
import { defineConfig } from 'vitest/config';

// Where there is no GPU, the software Vulkan driver inside Debian's chromium takes its place; a driver named by the user wins.
const softwareDriver = '/usr/lib/chromium/vk_swiftshader_icd.json';
const driver = process.env['VK_DRIVER_FILES'] ?? (existsSync(softwareDriver) ? softwareDriver : undefined);

export default defineConfig({
  test: {
    include: ['test/webgpu/**/*.test.ts'],
    env: { ...(driver && { VK_DRIVER_FILES: driver }), XDG_RUNTIME_DIR: process.env['XDG_RUNTIME_DIR'] ?? '/tmp' },
    // A provider that aborts must not take the other tests along.
    pool: 'forks',
    testTimeout: 300_000,
  },
});
