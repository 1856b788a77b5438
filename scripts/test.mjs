// Runs every check in one command (`npm test`): build, types, lint, goldens, unit tests, webviews in a browser, VS Code. Ends
// with one line "N passed, N failed" and a matching exit code.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureChromium, ensureVulkan } from './chromium.mjs';

const temporary = mkdtempSync(join(tmpdir(), 'lora-workbench-test-'));
const judge = process.env.LORA_WORKBENCH_JUDGE;
const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const deaths = [];
let reports = 0;

/** Resolves to whether the command succeeded. */
function run(command, args, environment = {}) {
  return new Promise((resolve) => {
    const env = { ...process.env, ...environment };
    const child = spawn(command, args, { stdio: 'inherit', shell: process.platform === 'win32', env });
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      resolve(false);
    });
    child.on('close', (code) => resolve(code === 0));
  });
}

function count(name, result) {
  total.passed += result.passed;
  total.skipped += result.skipped;
  total.failed += result.failures.length;
  failures.push(...result.failures.map((failure) => `${name}: ${failure}`));
  console.log(`${result.failures.length ? '✗' : '✓'} ${name}`);
}

/** A step without tests of its own counts as one test. */
function check(name, ok) {
  count(name, { passed: ok ? 1 : 0, skipped: 0, failures: ok ? [] : ['failed; its output is above'] });
}

/**
 * Counts the tests of one vitest configuration, or of those files that the arguments choose. A run that aborts counts as a
 * failure. Test files whose process died, as a GPU driver can make it, run once more by themselves: what fails then is a failure,
 * and that it happened is reported at the end.
 */
async function vitest(name, config, chosen = []) {
  const first = await runVitest(config, chosen);
  if (first.died.length === 0) return count(name, first);
  const again = await runVitest(config, first.died);
  deaths.push(`${name}: the process of ${first.died.join(', ')} died and was started again`);
  count(name, {
    passed: first.passed + again.passed,
    skipped: first.skipped + again.skipped,
    failures: [...first.failures, ...again.failures, ...again.died.map((file) => `${file}: its process died twice`)],
  });
}

async function runVitest(config, chosen) {
  const report = join(temporary, `report-${reports++}.json`);
  const reporters = ['--reporter=default', '--reporter=./scripts/testReporter.mjs'];
  const args = ['vitest', 'run', '--config', config, ...reporters, ...chosen];
  const ok = await run('npx', args, { TEST_REPORT: report });
  const aborted = { passed: 0, skipped: 0, failures: ['aborted; its output is above'], died: [] };
  const result = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : aborted;
  if (!ok && result.failures.length + result.died.length === 0) result.failures.push('failed; its output is above');
  return result;
}

/** A panel that stays open for minutes needs no processor, so the other tests run beside it. */
async function endToEnd() {
  process.env.E2E_PREPARED = 'yes';
  const [config, waiting] = ['test/e2e/vitest.config.ts', 'test/e2e/staysOpen.test.ts'];
  await Promise.all([
    vitest('a panel that stays open', config, [waiting]),
    vitest('end-to-end tests', config, ['--exclude', waiting]),
  ]);
}

/** Golden files are generated from PyTorch by scripts and committed; the manifest lists the files that must exist. */
function goldensExist() {
  const missing = JSON.parse(readFileSync('test/golden/manifest.json', 'utf8')).files.filter(
    (path) => !existsSync(join('test/golden', path)),
  );
  for (const path of missing) console.error(`Golden file test/golden/${path} is missing; make it with the scripts beside it.`);
  return missing.length === 0;
}

try {
  check('build', await run('node', ['scripts/build.mjs']));
  check('typecheck', await run('npx', ['tsc', '-b']));
  check('lint', await run('npx', ['eslint', '.', '--max-warnings', '0']));
  check('format', await run('npx', ['prettier', '--check', '.']));
  check('goldens', goldensExist());
  if (judge) check('goldens made afresh', await run(judge, ['test/judge/compare_goldens.py']));
  else total.skipped++;
  await vitest('unit tests', 'vitest.config.ts');
  const chromium = ensureChromium();
  check('chromium', chromium !== undefined);
  const vulkan = ensureVulkan();
  check('vulkan', vulkan);
  if (vulkan) await vitest('WebGPU tests', 'test/webgpu/vitest.config.ts');
  if (chromium) {
    await vitest('webview tests', 'test/webview/vitest.config.ts');
    const packaged = await run('npx', ['tsx', 'test/e2e/harness/prepare.ts']);
    check('VS Code and the VSIX', packaged);
    if (packaged) await endToEnd();
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
// Printed last, where they are easy to find: a log may be truncated before it reaches its reader.
for (const death of deaths) console.log(`! ${death}`);
for (const failure of failures) console.log(`✗ ${failure}`);
if (total.skipped)
  console.log(
    `${total.skipped} skipped${judge ? '' : ' (comparisons with PyTorch need LORA_WORKBENCH_JUDGE, see CONTRIBUTING.md)'}`,
  );
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed ? 1 : 0;
