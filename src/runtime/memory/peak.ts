import { existsSync, readFileSync } from 'node:fs';

const status = '/proc/self/status';

/**
 * The most memory that this process has held resident. On Linux the kernel's own high-water mark: maxRSS of getrusage also counts
 * what the process that started this one held.
 */
export function peakMemoryBytes(): number {
  const mark = existsSync(status) ? /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, 'utf8')) : null;
  return 1024 * (mark ? Number(mark[1]) : process.resourceUsage().maxRSS);
}
