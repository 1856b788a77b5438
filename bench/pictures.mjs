// The pictures of README: SmolLM2-135M-Instruct fine-tuned in real VS Code on the examples, at the speed of this machine.
// Writes media/screenshot-dark.png and media/screenshot-light.png.
//   node bench/pictures.mjs
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npx', ['vitest', 'run', '--config', 'bench/vscode.config.ts'], {
  stdio: 'inherit',
  env: { ...process.env, BENCH: 'pictures' },
});
process.exitCode = status ?? 1;
