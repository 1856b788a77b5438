import { existsSync, readFileSync } from 'node:fs';

const status = '/proc/self/status';

/**
 * Peak resident memory of this process. On Linux this is the kernel's own high-water mark, because getrusage's maxRSS also counts
 * what the parent process held.
 */
export function peakMemoryBytes(): number {
  const mark = existsSync(status) ? /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, 'utf8')) : null;
  return 1024 * (mark ? Number(mark[1]) : process.resourceUsage().maxRSS);
}
