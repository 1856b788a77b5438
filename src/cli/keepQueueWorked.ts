import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { runsToTrain } from '../runs/queue/queue.js';
import { hasWorker, lockKeeper } from '../runs/queue/queueLock.js';
import { exitCodes, type ExitCode } from './interrupt.js';

/** How often to look whether a worker that somebody else has started is gone. */
const lookAgainMs = 1000;

/**
 * Sees to it that the waiting runs of a folder are trained, until none is left. The work is done by worker processes, one after the
 * other, because a worker ends when the next run needs a fresh process, and may be killed, for lack of memory above all. This
 * process loads nothing and goes on. Gives up on a worker that has changed nothing. If `quiet`, only the worker's errors are shown.
 */
export async function keepQueueWorked(
  folder: string,
  options: { readonly json: boolean; readonly quiet?: boolean },
  signal: AbortSignal,
): Promise<ExitCode> {
  const lock = lockKeeper(folder); // a second one is not refused: whoever started it waits for the end
  try {
    return await startWorkers(folder, options, signal);
  } finally {
    lock?.release();
  }
}

async function startWorkers(
  folder: string,
  { json, quiet = false }: { readonly json: boolean; readonly quiet?: boolean },
  signal: AbortSignal,
): Promise<ExitCode> {
  for (;;) {
    while (hasWorker(folder) && !signal.aborted) await sleep(lookAgainMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return exitCodes.cancelled;
    const before = waiting(folder);
    if (before === '') return exitCodes.done;
    const code = await workerEnd([folder, '--worker', ...(json ? ['--json'] : [])], quiet);
    if (code === exitCodes.cancelled) return code;
    if (waiting(folder) === before && !hasWorker(folder)) return exitCodes.failed;
  }
}

function waiting(folder: string): string {
  return runsToTrain(folder)
    .map(({ runId, state }) => `${runId} ${state.status} ${state.updatedAt}`)
    .join('\n');
}

/**
 * Runs a worker in the terminal of this process; what ends this process ends the worker. Resolves to null if a signal ended it. It has
 * a session of its own, so that Ctrl+C reaches it once, through this process; on Windows the console sends it to both.
 */
function workerEnd(args: readonly string[], quiet: boolean): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const passesOn = process.platform !== 'win32';
    const child = spawn(process.execPath, [process.argv[1]!, 'queue', ...args], {
      stdio: ['inherit', quiet ? 'ignore' : 'inherit', 'inherit'],
      windowsHide: true,
      detached: passesOn,
    });
    const passOn = (signal: NodeJS.Signals) => child.kill(signal === 'SIGINT' ? 'SIGINT' : 'SIGTERM');
    const atOnce = () => child.kill('SIGKILL');
    if (passesOn) for (const signal of endings) process.on(signal, passOn);
    process.on('exit', atOnce);
    child.once('error', reject);
    child.once('exit', (code) => {
      for (const signal of endings) process.off(signal, passOn);
      process.off('exit', atOnce);
      resolve(code);
    });
  });
}

const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
