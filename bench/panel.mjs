// Compares training started in VS Code's panel and watched in panel and monitor with the same run from the command line, in
// turns. Prints the ratio of their speeds. Uses real VS Code in a browser, the packaged extension and SmolLM2-135M-Instruct.
//   node bench/panel.mjs [--rounds 3] [--steps 12]
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '3' }, steps: { type: 'string', default: '12' } },
});
const { status } = spawnSync('npx', ['vitest', 'run', '--config', 'bench/vscode.config.ts'], {
  stdio: 'inherit',
  env: { ...process.env, BENCH: 'panel', PANEL_ROUNDS: options.rounds, PANEL_STEPS: options.steps },
});
process.exitCode = status ?? 1;
