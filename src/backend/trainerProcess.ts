import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDirectory } from '../runs/runDirectory.js';

/** The command line program, next to the backend. */
export const programPath = join(__dirname, 'cli.js');

/** Makes Electron run as plain Node.js. */
export function nodeEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
}

/**
 * Starts a trainer that outlives this process: it has its own session and no pipes, and its stderr goes to log.txt.
 * `onExit` is called if the trainer ends while this process is alive.
 */
export function startTrainer(run: RunDirectory, onExit: (code: number | null) => void): void {
  const log = openSync(run.logPath, 'a');
  try {
    const child = spawn(process.execPath, [programPath, 'resume', run.path], {
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
