// Prints the path of a Python that has PyTorch, transformers and PEFT: a virtual environment under .cache/judge, created if it is
// missing or if requirements.txt has changed. Everything else goes to stderr, so that a script can read the path from stdout.
// pip's own configuration (index, wheel folders, proxies) applies.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { aptInstall } from '../../scripts/chromium.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const requirements = join(here, 'requirements.txt');
const folder = join(here, '..', '..', '.cache', 'judge');
const python = process.platform === 'win32' ? join(folder, 'Scripts', 'python.exe') : join(folder, 'bin', 'python');
const stamp = join(folder, 'requirements.sha256');

function attempt(command, ...args) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
  if (error) console.error(`${command} cannot be started (${error.message}).`);
  return status === 0;
}

function run(command, ...args) {
  if (attempt(command, ...args)) return;
  console.error(`The judge could not be set up: ${command} ${args.join(' ')} failed.`);
  process.exit(1);
}

/** Debian ships what a virtual environment needs in a separate package. */
function makeEnvironment() {
  const create = [process.platform === 'win32' ? 'python' : 'python3', '-m', 'venv', '--clear', folder];
  if (attempt(...create)) return;
  aptInstall('python3-venv');
  run(...create);
}

const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex');
const ready = existsSync(python) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted;
if (!ready) {
  console.error(`Setting up PyTorch, transformers and PEFT in ${folder} (once, some minutes)…`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  makeEnvironment();
  run(python, '-m', 'pip', 'install', '--requirement', requirements);
  writeFileSync(stamp, wanted);
}
console.log(python);
