import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { availableMemoryBytes } from '../../../../src/runtime/memory/available.js';

function system(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'system-'));
  for (const [path, content] of Object.entries({
    'proc/meminfo': 'MemTotal: 16000 kB\nMemFree: 100 kB\nMemAvailable:    8000 kB\n',
    ...files,
  })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

test('without a limit: what the system says can be had, cached files included', () => {
  expect(availableMemoryBytes(system({}))).toBe(8_192_000);
  const unlimited = {
    'proc/self/cgroup': '0::/user\n',
    'sys/fs/cgroup/user/memory.max': 'max\n',
    'sys/fs/cgroup/user/memory.current': '500\n',
  };
  expect(availableMemoryBytes(system(unlimited))).toBe(8_192_000);
});

test('the tightest of the groups around the process, whose cached files can be dropped', () => {
  const files = {
    'proc/self/cgroup': '0::/slice/run\n',
    'sys/fs/cgroup/slice/memory.max': '3000000\n',
    'sys/fs/cgroup/slice/memory.current': '2500000\n',
    'sys/fs/cgroup/slice/memory.stat': 'anon 1500000\ninactive_file 300000\nactive_file 700000\n',
    'sys/fs/cgroup/slice/run/memory.max': '4000000\n',
    'sys/fs/cgroup/slice/run/memory.current': '100000\n',
  };
  expect(availableMemoryBytes(system(files))).toBe(1_500_000);
});

test('version 1 of the control groups, and a path that is not below the mount, as in a container', () => {
  const files = {
    'proc/self/cgroup': '7:cpu,cpuacct:/\n4:memory:/docker/1234\n0::/\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '2000000\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1900000\n',
    'sys/fs/cgroup/memory/memory.stat': 'cache 9\ntotal_inactive_file 100000\ntotal_active_file 200000\n',
  };
  expect(availableMemoryBytes(system(files))).toBe(400_000);
});

test('here: more than nothing', () => {
  expect(availableMemoryBytes()).toBeGreaterThan(1e6);
});
