// Everything that must hold, in one command (`npm test`): build, types, lint, goldens, unit tests, webviews in a browser, VS Code.
// Ends with one line "N passed, N failed" and a matching exit code.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium, ensureVulkan } from './chromium.mjs';

const temporary = mkdtempSync(join(tmpdir(), 'lora-workbench-test-'));
const judge = process.env.LORA_WORKBENCH_JUDGE;
const total = { passed: 0, failed: 0, skipped: 0 };

function run(command, ...args) {
  return spawnSync(command, args, { stdio: 'inherit', shell: process.platform === 'win32' }).status === 0;
}

function count(name, result) {
  for (const key of Object.keys(total)) total[key] += result[key] ?? 0;
  console.log(`${result.failed ? '✗' : '✓'} ${name}`);
}

/** A step without tests of its own counts as one. */
function check(name, ok) {
  count(name, ok ? { passed: 1 } : { failed: 1 });
}

/** Counts the tests of one vitest configuration; a run that breaks off counts as a failure. */
function vitest(name, config) {
  const report = join(temporary, `${name.replaceAll(' ', '-')}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const ok = run('npx', 'vitest', 'run', '--config', config, ...reporters);
  if (!existsSync(report)) return check(name, false);
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
  const failed = numFailedTests || (ok ? 0 : Math.max(1, numFailedTestSuites));
  count(name, { passed: numPassedTests, failed, skipped: numPendingTests });
}

/** Golden files are made by scripts from PyTorch and committed; the manifest says which must be there. */
function goldensExist() {
  const missing = JSON.parse(readFileSync('test/golden/manifest.json', 'utf8')).files.filter(
    (path) => !existsSync(join('test/golden', path)),
  );
  for (const path of missing) console.error(`Golden file test/golden/${path} is missing; make it with the scripts beside it.`);
  return missing.length === 0;
}

try {
  check('build', run('node', 'scripts/build.mjs'));
  check('typecheck', run('npx', 'tsc', '-b'));
  check('lint', run('npx', 'eslint', '.', '--max-warnings', '0'));
  check('format', run('npx', 'prettier', '--check', '.'));
  check('goldens', goldensExist());
  if (judge) check('goldens made afresh', run(judge, 'test/judge/compare_goldens.py'));
  else total.skipped++;
  vitest('unit tests', 'vitest.config.ts');
  const chromium = ensureChromium();
  check('chromium', chromium !== undefined);
  const vulkan = ensureVulkan();
  check('vulkan', vulkan);
  if (vulkan) vitest('WebGPU tests', 'test/webgpu/vitest.config.ts');
  if (chromium) {
    vitest('webview tests', 'test/webview/vitest.config.ts');
    vitest('end-to-end tests', 'test/e2e/vitest.config.ts');
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
if (total.skipped)
  console.log(
    `${total.skipped} skipped${judge ? '' : ' (comparisons with PyTorch need LORA_WORKBENCH_JUDGE, see CONTRIBUTING.md)'}`,
  );
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;
