/** @file From the palette to a finished run; then a run that survives reloads and crashes and is paused, resumed and stopped. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { agreement, readDrawnLine } from './harness/canvas.js';
import { FineTunePanel } from './harness/fineTunePanel.js';
import { readMetrics, readState, says, testBed, until } from './harness/workspace.js';

const bed = testBed();

const rank = 4;
const shortRun = 30;
/** Long enough for everything that happens during the run; it is stopped at the end. */
const longRun = 100_000;
const shortRunInStatusBar = new RegExp(`\\d+/${shortRun}$`);
const longRunInStatusBar = new RegExp(`\\d+/${longRun}$`);

test('fine-tunes from the palette through the panel to a finished run', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = await openPanel();

  await panel.choose('model', bed.path('models/tiny-llama'));
  await panel.fill('data.path', bed.path('answers.jsonl'));
  await panel.fill('lora.r', rank);
  await panel.fill('lora.alpha', 16);
  await panel.fill('train.max_steps', shortRun);
  await panel.fill('train.learning_rate', '5e-3');
  const estimate = panel.frame.locator('.estimate');
  await says(estimate, /Scale \(alpha \/ r\)4(?!\d)/);
  // q_proj and v_proj of three layers, 64 × 64 each.
  await says(estimate, `Trainable${(3 * 2 * rank * (64 + 64)).toLocaleString('en')} (`);

  await panel.fill('lora.r', 'many');
  await says(panel.setting('lora.r').locator('.field-error'), 'Must be a whole number.');
  expect(await panel.start.isDisabled()).toBe(true);
  await panel.fill('lora.r', rank);

  await panel.preflight();
  await dataShowsMask(panel);

  await panel.start.click();
  await window.statusBar(shortRunInStatusBar).waitFor({ timeout: 60_000 });
  const run = await until('a run directory', () => bed.runs()[0]);
  await until('the run is finished', () => readState(run).status === 'finished', 120_000);
  expect(readState(run)).toMatchObject({ step: shortRun, totalSteps: shortRun, pid: null });
  expect(existsSync(join(run, 'adapter/adapter_model.safetensors'))).toBe(true);

  await panel.runIs('finished');
  await window.statusBar(shortRunInStatusBar).waitFor({ state: 'hidden' });
  await plotShowsMetrics(panel, run);
});

test('the monitor shows how it ended, the trees list run and adapter', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Open Training Monitor');
  const monitor = await window.webview('monitor');
  await says(monitor.locator('.run-steps'), `Finished · ${shortRun} of ${shortRun} steps`);
  await until('the small plot is drawn', async () => {
    const line = await readDrawnLine(monitor.locator('.plot-loss canvas'), '--vscode-charts-blue');
    return line.columns.length > line.width / 2;
  });
  await window.treeRow('Runs', /finished · held-out loss/).waitFor();
  await window.treeRow('Adapters', new RegExp(`tiny-llama · rank ${rank}`)).waitFor();
  await window.treeRow('Models', 'tiny-llama').waitFor();
});

test('a run goes on while the window is reloaded, and is found again whole', async () => {
  const { window } = bed;
  const run = await startLongRun();
  const { pid } = readState(run);
  const monitor = await window.webview('monitor');
  await says(monitor.locator('.run-steps'), new RegExp(`Running · \\d+ of ${longRun.toLocaleString('en')} steps`));

  await window.reload();
  const stepAtReload = readState(run).step;
  const panel = await openPanel();
  await panel.showTab('Plots'); // a browser that is slow to store the view's state restores an older one
  await panel.runIs('running');
  await until('the run went on', () => readState(run).step > stepAtReload + 3);
  expect(readState(run)).toMatchObject({ status: 'running', pid });
  await window.statusBar(longRunInStatusBar).waitFor();

  const shown = await panel.losses();
  expect(shown[0]!.step).toBe(1);
  expect(shown.at(-1)!.step).toBeGreaterThanOrEqual(stepAtReload);
  const logged = new Map(losses(run).map(({ step, loss }) => [step, loss]));
  expect(shown).toEqual(shown.map(({ step }) => ({ step, loss: expect.closeTo(logged.get(step)!, 2) })));
  // Of many steps, the table shows every nth one, as well as those with an evaluation and the last.
  const evaluated = new Set(readMetrics(run).flatMap(({ step, eval_loss }) => (eval_loss === undefined ? [] : [step])));
  const stride = shown[1]!.step - shown[0]!.step;
  const isThinned = (step: number): boolean => (step - 1) % stride === 0;
  const steps = shown.slice(0, -1).map(({ step }) => step);
  const everySoMany = Array.from({ length: Math.ceil((shown.at(-1)!.step - 1) / stride) }, (_, index) => 1 + index * stride);
  expect(steps.filter(isThinned)).toEqual(everySoMany);
  expect(steps.filter((step) => !isThinned(step) && !evaluated.has(step))).toEqual([]);
});

test('a killed backend comes back, and the run has not noticed', async () => {
  const run = bed.runs().at(-1)!;
  const { pid } = readState(run);
  const backend = await until('a backend', () => bed.backendPid());
  process.kill(backend, 'SIGKILL');
  await until('another backend', () => ![undefined, backend].includes(bed.backendPid()));
  const { step } = readState(run);
  await until('the run went on', () => readState(run).step > step + 3);
  expect(readState(run)).toMatchObject({ status: 'running', pid });

  const panel = await openPanel();
  await until('the panel counts steps that came after the crash', async () => (await panel.step()) > step + 3);
  const shown = await panel.losses();
  expect(shown[0]!.step).toBe(1);
  expect(shown.at(-1)!.step).toBeGreaterThan(step);
});

test('pause, resume and stop reach the run, and the views follow', async () => {
  const { window } = bed;
  const run = bed.runs().at(-1)!;
  const { pid } = readState(run);
  const panel = await openPanel();

  await panel.frame.getByRole('button', { name: 'Pause', exact: true }).click();
  await until('the run pauses', () => readState(run).status === 'paused');
  await panel.runIs('paused');
  await window.treeRow('Runs', /paused/).waitFor();
  const { step } = readState(run);

  await window.command('LoRA Workbench: Resume Run');
  await until('the run goes on', () => readState(run).status === 'running' && readState(run).step > step);
  expect(readState(run).pid).toBe(pid);
  await panel.runIs('running');

  await window.command('LoRA Workbench: Stop Run');
  await until('the run stops', () => readState(run).status === 'stopped');
  expect(readState(run).pid).toBe(null);
  await panel.runIs('stopped');
  await window.statusBar(longRunInStatusBar).waitFor({ state: 'hidden' });
  expect(existsSync(join(run, 'adapter/adapter_model.safetensors'))).toBe(true);
  await window.treeRow('Adapters', 'answers · tiny-llama · r').waitFor();
});

async function openPanel(): Promise<FineTunePanel> {
  return new FineTunePanel(await bed.window.webview('fineTune'));
}

/** Checks the tokens of the first example: the question is only read, the answer is learned. */
async function dataShowsMask(panel: FineTunePanel): Promise<void> {
  const sample = (await panel.examples()).first();
  const words = async (kind: string) => (await sample.locator(`.token.${kind}`).allTextContents()).join('').replaceAll('·', ' ');
  expect(await words('context')).toMatch(/What is \d+ plus \d+\?/);
  expect(await words('learned')).toMatch(/^\s*The sum of \d+ and \d+ is \d+\./);
  await says(panel.setting('data.path').locator('.field-note'), '40 examples');
}

/** Checks that the table shows the values of metrics.jsonl, and that the pixels of the canvas lie where those values do. */
async function plotShowsMetrics(panel: FineTunePanel, run: string): Promise<void> {
  const logged = losses(run);
  expect(logged).toHaveLength(shortRun);
  expect(await panel.losses()).toEqual(logged.map(({ step, loss }) => ({ step, loss: expect.closeTo(loss, 2) })));
  const points = logged.map(({ step, loss }) => ({ x: step, y: loss }));
  await until('the line on the canvas follows the loss', async () => {
    const line = await readDrawnLine(panel.plots.locator('.plot-loss canvas'), '--vscode-charts-blue');
    return line.columns.length > 0.8 * line.width && agreement(line, points) > 0.99;
  });
}

function losses(run: string): { step: number; loss: number }[] {
  return readMetrics(run).flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, loss }]));
}

async function startLongRun(): Promise<string> {
  const panel = await openPanel();
  const before = bed.runs().length;
  await panel.fill('train.max_steps', longRun);
  await panel.start.click();
  const run = await until('another run directory', () => bed.runs()[before]);
  await until('some steps', () => existsSync(join(run, 'state.json')) && readState(run).step > 5, 120_000);
  return run;
}
