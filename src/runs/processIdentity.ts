import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { isRunning } from '../files/isRunning.js';

/** A pid alone is not enough: after a crash or a reboot the system may give it to another process. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start time of the process in the system's own format; null if the system does not tell. */
  readonly start: string | null;
}

export function ownIdentity(): ProcessIdentity {
  return { pid: process.pid, start: processStart(process.pid) };
}

/** True while this very process is alive. */
export function isAlive({ pid, start }: ProcessIdentity): boolean {
  if (!isRunning(pid)) return false;
  return process.platform === 'linux' ? start !== null && processStart(pid) === start : sameStart(pid, start);
}

// On macOS and Windows every query starts a program, which is too expensive for each poll of a list of runs.
const confirmed = new Map<string, number>();
const confirmationLastsMs = 30_000;

function sameStart(pid: number, start: string | null): boolean {
  const key = `${pid} ${start}`;
  if (Date.now() - (confirmed.get(key) ?? -Infinity) < confirmationLastsMs) return true;
  if (start !== null && processStart(pid) !== start) return false;
  confirmed.set(key, Date.now());
  return true;
}

function processStart(pid: number): string | null {
  try {
    switch (process.platform) {
      case 'linux':
        return linuxStart(pid);
      case 'win32':
        return run('powershell', ['-NoProfile', '-Command', `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]);
      default:
        return run('ps', ['-o', 'lstart=', '-p', String(pid)]);
    }
  } catch {
    return null;
  }
}

/** Boot id, and start time in clock ticks since boot: field 22 of stat in proc(5). A zombie counts as gone. */
function linuxStart(pid: number): string | null {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The second field, the program name in parentheses, may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, ticks] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X' || !ticks) return null;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
}

function run(program: string, args: string[]): string | null {
  return execFileSync(program, args, { encoding: 'utf8', timeout: 5000, windowsHide: true }).trim() || null;
}
