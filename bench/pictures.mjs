// Takes the README's pictures: SmolLM2-135M-Instruct is fine-tuned on the examples in real VS Code, at this machine's speed.
// Writes media/screenshot-dark.png and media/screenshot-light.png.
//   node bench/pictures.mjs
import { spawnSync } from 'node:child_process';

const { status } = spawnSync('npx', ['vitest', 'run', '--config', 'bench/vscode.config.ts'], {
  stdio: 'inherit',
  env: { ...process.env, BENCH: 'pictures' },
});
process.exitCode = status ?? 1;
