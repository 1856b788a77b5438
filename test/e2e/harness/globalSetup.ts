import { spawnSync } from 'node:child_process';
import { installCodeServer } from './codeServer.js';

/** Installs VS Code, and builds the VSIX from the current tree, unless that has been done for this run (scripts/test.mjs). */
export function setup(): void {
  if (process.env['E2E_PREPARED']) return;
  installCodeServer();
  const { status } = spawnSync(process.execPath, ['scripts/package.mjs', 'linux-x64'], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) throw new Error('The VSIX could not be made: run npm run package to see why.');
}
