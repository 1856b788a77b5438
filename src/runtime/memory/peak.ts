import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { collectGarbage } from './collectGarbage.js';

const status = '/proc/self/status';

/**
 * Peak resident memory of this process. On Linux this is the kernel's own high-water mark, because getrusage's maxRSS also counts
 * what the parent process held.
 */
export function peakMemoryBytes(): number {
  const mark = existsSync(status) ? /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, 'utf8')) : null;
  return 1024 * (mark ? Number(mark[1]) : process.resourceUsage().maxRSS);
}

/**
 * Peak resident memory since a run of this process began, which may not be its first. Linux can begin the high-water mark anew.
 * Elsewhere it tells of this run once it has risen; until then, the largest of the readings is what is known.
 */
export class PeakSince {
  private readonly before: number;
  private largest = 0;

  constructor() {
    collectGarbage(); // it is not this run's
    beginAnew();
    this.before = peakMemoryBytes();
  }

  read(): number {
    const mark = peakMemoryBytes();
    this.largest = Math.max(this.largest, process.memoryUsage.rss());
    return mark > this.before ? mark : this.largest;
  }
}

/** Resets VmHWM to what is resident now (proc_pid_clear_refs(5)). */
function beginAnew(): void {
  try {
    if (process.platform === 'linux') writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // The kernel lacks it or forbids it: as on other systems.
  }
}
