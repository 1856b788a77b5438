import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable } from '../files/reading.js';

/** The command line program, next to the backend. */
export const programPath = join(__dirname, 'cli.js');

/** Makes Electron run as plain Node.js. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
}

/**
 * Starts a command of the command line that outlives this process: it has its own session and no pipes, and its stderr goes to the
 * log. `onExit` is called if it ends while this process is alive.
 */
export function startDetached(args: readonly string[], logPath: string, onExit: (code: number | null) => void): void {
  const log = openSync(logPath, 'a');
  try {
    const child = spawn(process.execPath, [programPath, ...args], {
      detached: true,
      stdio: ['ignore', 'ignore', log],
      windowsHide: true,
      env: nodeEnvironment(),
    });
    child.once('error', () => onExit(null));
    child.once('exit', onExit);
    child.unref();
  } finally {
    closeSync(log);
  }
}

/** The last line of the command line's output, if it is the error that ended it. */
export function lastError(logPath: string): string | undefined {
  const log = ifReadable(() => readFileSync(logPath, 'utf8')) ?? '';
  return /(?:^|\n)error: (.*)\n?$/.exec(log)?.[1];
}
