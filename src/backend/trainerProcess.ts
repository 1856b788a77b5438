import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { RunDirectory } from '../runs/runDirectory.js';

/** The command line lies beside the backend. */
export const programPath = join(__dirname, 'cli.js');

/** Electron is Node only when told so. */
export const nodeEnvironment = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };

/**
 * Starts a trainer that outlives this process: a session of its own, no pipe to anybody. What it says goes to log.txt.
 * `onExit` is called if it ends while this process lives.
 */
export function startTrainer(run: RunDirectory, onExit: (code: number | null) => void): void {
  const log = openSync(run.logPath, 'a');
  try {
    const child = spawn(process.execPath, [programPath, 'resume', run.path], {
      detached: true,
      stdio: ['ignore', 'ignore', log],
      windowsHide: true,
      env: nodeEnvironment,
    });
    child.once('error', () => onExit(null));
    child.once('exit', onExit);
    child.unref();
  } finally {
    closeSync(log);
  }
}
