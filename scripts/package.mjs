// Builds the VSIX files, one per platform, into build/vsix.
// Usage: node scripts/package.mjs [--no-build] [linux-x64 …]   (default: all platforms, from a fresh build of dist/)
import { createVSIX } from '@vscode/vsce';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const targets = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'];
const { values: options, positionals } = parseArgs({ options: { 'no-build': { type: 'boolean' } }, allowPositionals: true });
const wanted = positionals.length > 0 ? positionals : targets;

for (const target of wanted) {
  if (!targets.includes(target)) throw new Error(`There is no target ${target}; known: ${targets.join(', ')}.`);
}
if (!options['no-build']) execFileSync(process.execPath, ['scripts/build.mjs'], { stdio: 'inherit' });
mkdirSync('build/vsix', { recursive: true });
for (const target of wanted) {
  const packagePath = resolve(`build/vsix/lora-workbench-${target}.vsix`);
  // The README loads its pictures from the package, so keep its relative links.
  await createVSIX({ cwd: stage(target), target, packagePath, dependencies: false, rewriteRelativeLinks: false });
  console.log(`${packagePath} ${(statSync(packagePath).size / 1e6).toFixed(1)} MB`);
}

/**
 * Creates a folder with the files that .vscodeignore allows, and ONNX Runtime for this target only. The engine goes into
 * dist/node_modules, where dist/*.js finds it: vsce leaves out a top-level node_modules unless it takes all of it.
 */
function stage(target) {
  const folder = `build/stage/${target}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const path of ['package.json', '.vscodeignore', ...allowedPaths()]) cpSync(path, join(folder, path), { recursive: true });
  const engine = 'node_modules/onnxruntime-node';
  const binaries = `${engine}/bin/napi-v6/${target.replace('-', '/')}`;
  const files = [
    `${engine}/package.json`,
    ...scriptsIn(`${engine}/dist`),
    ...readdirSync(binaries)
      .filter(isNeeded)
      .map((name) => `${binaries}/${name}`),
    'node_modules/onnxruntime-common/package.json',
    ...scriptsIn('node_modules/onnxruntime-common/dist/cjs'),
  ];
  for (const path of files) cpSync(path, join(folder, 'dist', path));
  return folder;
}

/** The allow-list of .vscodeignore, without the stars at the end of its patterns. */
function allowedPaths() {
  const lines = readFileSync('.vscodeignore', 'utf8').split('\n');
  return lines
    .filter((line) => line.startsWith('!') && !line.includes('node_modules'))
    .map((line) => line.slice(1).replace(/\/\*\*$/, ''));
}

function scriptsIn(folder) {
  const names = readdirSync(folder, { recursive: true }).map((name) => name.replaceAll('\\', '/'));
  return names.filter((name) => /\.js$|^package\.json$/.test(name)).map((name) => `${folder}/${name}`);
}

/** The macOS library comes twice: under its full version and under the name that the binding asks for. */
function isNeeded(name) {
  return !/^libonnxruntime\.\d+\.\d+\.\d+\.dylib$/.test(name);
}
