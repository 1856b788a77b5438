// Finds the browser for the webview and end-to-end tests. Usage: node scripts/chromium.mjs (installs it if needed and possible)
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/** CHROMIUM_PATH, or else the first browser found; undefined if there is none. */
export function findChromium() {
  const folders = (process.env.PATH ?? '').split(delimiter);
  const candidates = [
    process.env.CHROMIUM_PATH ?? '',
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    ...elsewhere,
  ];
  return candidates.find((path) => path && isExecutable(path));
}

/** Finds the browser or installs it through apt; if that is not possible, says what to do. */
export function ensureChromium() {
  const found = findChromium();
  if (found) return found;
  console.log('No Chromium here: installing it through apt.');
  const path = aptInstall('chromium') ? findChromium() : undefined;
  if (!path) console.error('Chromium could not be installed. Install it by hand, or set CHROMIUM_PATH to a Chromium or Chrome.');
  return path;
}

/**
 * Ensures that the Vulkan loader is installed, through which the WebGPU tests reach a driver: the GPU's, or the software driver
 * in Debian's chromium.
 */
export function ensureVulkan() {
  if (process.platform !== 'linux') return true;
  const isThere = () => spawnSync('ldconfig', ['-p'], { encoding: 'utf8' }).stdout?.includes('libvulkan.so.1');
  if (isThere()) return true;
  const installed = aptInstall('libvulkan1');
  if (!installed) console.error('The Vulkan loader could not be installed. Install the package libvulkan1 by hand.');
  return installed && isThere();
}

/** Returns false if there is no apt, or no permission to use it. */
export function aptInstall(...packages) {
  if (!existsSync('/usr/bin/apt-get')) return false;
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  return apt(prefix, 'update') && apt(prefix, 'install', '--yes', '--no-install-recommends', ...packages);
}

function apt(prefix, ...args) {
  const [command, ...rest] = [...prefix, 'apt-get', ...args];
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // apt's output is not a result: stdout belongs to the caller.
  return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0;
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

if (import.meta.url === `file://${process.argv[1]}`) process.exitCode = ensureChromium() ? 0 : 1;
