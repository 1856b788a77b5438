import { existsSync, readFileSync } from 'node:fs';
import { freemem } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * Bytes that this process can use before something has to give way: the system's estimate, or the room left within the limits of
 * its control groups (https://docs.kernel.org/admin-guide/cgroup-v2.html). File pages can be dropped, so they count as free.
 */
export function availableMemoryBytes(root = '/'): number {
  const system = statistic(join(root, 'proc/meminfo'), 'MemAvailable');
  return Math.min(system === undefined ? freemem() : system * 1024, ...controlGroupRooms(root));
}

/** Version 1 numbers and names its hierarchies; version 2 is hierarchy 0 and has no name. */
const versions = [
  {
    line: /^0::(.*)$/m,
    mount: 'sys/fs/cgroup',
    limit: 'memory.max',
    usage: 'memory.current',
    cache: ['active_file', 'inactive_file'],
  },
  {
    line: /^\d+:(?:.*,)?memory(?:,.*)?:(.*)$/m,
    mount: 'sys/fs/cgroup/memory',
    limit: 'memory.limit_in_bytes',
    usage: 'memory.usage_in_bytes',
    cache: ['total_active_file', 'total_inactive_file'],
  },
] as const;

/** The room left in this process's group and in each enclosing group. */
function controlGroupRooms(root: string): number[] {
  const groups = read(join(root, 'proc/self/cgroup')) ?? '';
  return versions.flatMap(({ line, mount, limit, usage, cache }) => {
    const path = line.exec(groups)?.[1];
    if (path === undefined) return [];
    return foldersUpTo(join(root, mount), join(root, mount, path)).flatMap((folder) => {
      const max = Number(read(join(folder, limit)) ?? NaN); // "max" is not a number
      const used = Number(read(join(folder, usage)) ?? NaN);
      const cached = cache.reduce((sum, name) => sum + (statistic(join(folder, 'memory.stat'), name) ?? 0), 0);
      const room = Math.max(0, max - used + cached);
      return Number.isFinite(room) ? [room] : [];
    });
  });
}

function foldersUpTo(top: string, folder: string): string[] {
  return folder.length > top.length && folder.startsWith(top) ? [folder, ...foldersUpTo(top, dirname(folder))] : [top];
}

/** The number that follows a name at the start of a line. */
function statistic(path: string, name: string): number | undefined {
  const found = new RegExp(`^${name}:?\\s+(\\d+)`, 'm').exec(read(path) ?? '');
  return found ? Number(found[1]) : undefined;
}

function read(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  } catch {
    return undefined; // the file exists but is not readable
  }
}
