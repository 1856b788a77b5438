import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const status = '/proc/self/status';
const clearRefs = '/proc/self/clear_refs';

/**
 * Peak resident memory of this process. On Linux this is the kernel's own high-water mark, because getrusage's maxRSS also counts
 * what the parent process held.
 */
export function peakMemoryBytes(): number {
  const mark = existsSync(status) ? /^VmHWM:\s+(\d+)/m.exec(readFileSync(status, 'utf8')) : null;
  return 1024 * (mark ? Number(mark[1]) : process.resourceUsage().maxRSS);
}

/** From now on, the peak is that of what follows. Where the system cannot forget it (on other systems than Linux), nothing happens. */
export function forgetPeakMemory(): void {
  if (!existsSync(clearRefs)) return;
  try {
    writeFileSync(clearRefs, '5'); // proc(5): resets the high-water mark to what is held now
  } catch (error) {
    if (!(error instanceof Error && 'syscall' in error)) throw error;
  }
}
