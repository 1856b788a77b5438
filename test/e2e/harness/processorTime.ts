import { readdirSync, readFileSync } from 'node:fs';

/** The unit in which Linux counts processor time. */
const ticksPerSecond = 100;

/** Seconds of processor time that a process has used so far; undefined if it is gone. */
export function processorSeconds(pid: number): number | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in parentheses may contain spaces; utime and stime are fields 14 and 15.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  } catch {
    return undefined;
  }
}

/** The processes whose command line contains all these words. */
export function processesWith(...words: readonly string[]): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      return words.every((word) => line.includes(word));
    } catch {
      return false;
    }
  });
}

/** Whether a process was started with this text in its environment, as all processes of a test's VS Code were with its folder. */
export function wasStartedWith(pid: number, text: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(text);
  } catch {
    return false;
  }
}

/** The share of a core that each process uses, measured over `seconds`. */
export async function processorShares(pids: readonly number[], seconds: number): Promise<number[]> {
  const before = pids.map(processorSeconds);
  await new Promise((done) => setTimeout(done, 1000 * seconds));
  return pids.map((pid, index) => ((processorSeconds(pid) ?? Infinity) - before[index]!) / seconds);
}
