/** @file From the palette to a finished run; then a run that goes on through reloads and crashes, paused, resumed and stopped. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Frame, Locator } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { agreement, readDrawnLine } from './harness/canvas.js';
import { readMetrics, readState, TestBed, until } from './harness/workspace.js';

let bed: TestBed;
beforeAll(async () => {
  bed = await TestBed.start();
});
afterAll(async () => {
  await bed?.stop();
});

const rank = 4;
const shortRun = 30;
/** Long enough for everything that happens in the middle of it; it is stopped in the end. */
const longRun = 5000;

test('fine-tunes from the palette through the panel to a finished run', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Fine-Tune…');
  const panel = await window.webview('fineTune');

  await setting(panel, 'model').locator('select').selectOption(bed.path('models/tiny-llama'));
  await fill(panel, 'data.path', bed.path('answers.jsonl'));
  await fill(panel, 'lora.r', String(rank));
  await fill(panel, 'lora.alpha', '16');
  await fill(panel, 'train.max_steps', String(shortRun));
  await fill(panel, 'train.learning_rate', '5e-3');
  await eventually(panel.locator('.estimate'), /Scale \(alpha \/ r\)\s*4(?!\d)/);
  await eventually(panel.locator('.estimate'), new RegExp(`Trainable\\s*${expectedParameters(rank).toLocaleString('en')} `));

  await fill(panel, 'lora.r', 'many');
  await eventually(setting(panel, 'lora.r').locator('.field-error'), /whole number/);
  expect(await startButton(panel).isDisabled()).toBe(true);
  await fill(panel, 'lora.r', String(rank));

  await preflight(panel);

  await startButton(panel).click();
  await window.statusBar(new RegExp(`\\d+/${shortRun}`)).waitFor({ timeout: 60_000 });
  const run = await until('a run directory', () => bed.runs()[0]);
  await until('the run is finished', () => readState(run).status === 'finished', 120_000);
  expect(readState(run)).toMatchObject({ step: shortRun, totalSteps: shortRun, pid: null });
  expect(existsSync(join(run, 'adapter/adapter_model.safetensors'))).toBe(true);

  await panel.locator('.run[data-status=finished]').waitFor();
  await window.statusBar(new RegExp(`\\d+/${shortRun}`)).waitFor({ state: 'hidden' });
  await plotShowsMetrics(panel, run);
});

test('the monitor shows how it ended, the trees list run and adapter', async () => {
  const { window } = bed;
  await window.command('LoRA Workbench: Open Training Monitor');
  const monitor = await window.webview('monitor');
  await eventually(monitor.locator('.run-steps'), `Finished · ${shortRun} of ${shortRun} steps`);
  const drawn = await until('the small plot is drawn', async () => {
    const line = await readDrawnLine(monitor.locator('.plot-loss canvas'), '--vscode-charts-blue');
    return line.columns.length > line.width / 2;
  });
  expect(drawn).toBe(true);
  await treeRow('Runs', /finished · loss/).waitFor();
  await treeRow('Adapters', new RegExp(`tiny-llama · rank ${rank}`)).waitFor();
  await treeRow('Models', 'tiny-llama').waitFor();
});

test('a run goes on while the window is reloaded, and is found again whole', async () => {
  const { window } = bed;
  const run = await startLongRun(await window.webview('fineTune'));
  const { pid } = readState(run);
  const monitor = await window.webview('monitor');
  await eventually(monitor.locator('.run-steps').first(), new RegExp(`Running · \\d+ of ${longRun.toLocaleString('en')} steps`));

  await window.reload();
  const stepAtReload = readState(run).step;
  const panel = await window.webview('fineTune');
  await panel.locator('.run[data-status=running]').waitFor();
  expect(readState(run)).toMatchObject({ status: 'running', pid });
  await until('the run went on', () => readState(run).step > stepAtReload + 3);
  expect(readState(run).pid).toBe(pid);

  const losses = await tableOfLosses(panel);
  const logged = stepLosses(run).filter(({ step }) => step <= losses.at(-1)!.step);
  expect(losses[0]!.step).toBe(1);
  expect(losses.at(-1)!.step).toBeGreaterThanOrEqual(stepAtReload);
  expect(losses).toEqual(logged.map(({ step, loss }) => ({ step, loss: expect.closeTo(loss, 2) })));
  await window.statusBar(/\d+\/5000/).waitFor();
});

test('a killed backend comes back, and the run has not noticed', async () => {
  const { window } = bed;
  const run = bed.runs().at(-1)!;
  const { pid } = readState(run);
  const backend = await until('a backend', () => bed.backendPid());
  process.kill(backend, 'SIGKILL');
  const next = await until('another backend', () => {
    const found = bed.backendPid();
    return found !== backend && found;
  });
  expect(next).not.toBe(backend);
  const step = readState(run).step;
  await until('the run went on', () => readState(run).step > step + 3);
  expect(readState(run)).toMatchObject({ status: 'running', pid });

  const panel = await window.webview('fineTune');
  await until('the panel counts steps that came after the crash', async () => (await shownStep(panel)) > step + 3);
  const losses = await tableOfLosses(panel);
  expect(losses[0]!.step).toBe(1);
  expect(losses.at(-1)!.step).toBeGreaterThan(step);
});

test('pause, resume and stop reach the run, and the views follow', async () => {
  const { window } = bed;
  const run = bed.runs().at(-1)!;
  const { pid } = readState(run);
  const panel = await window.webview('fineTune');

  await panel.getByRole('button', { name: 'Pause', exact: true }).click();
  await until('the run pauses', () => readState(run).status === 'paused');
  await panel.locator('.run[data-status=paused]').waitFor();
  const { step } = readState(run);
  await treeRow('Runs', /paused/).waitFor();

  await window.command('LoRA Workbench: Resume Run');
  await until('the run goes on', () => readState(run).status === 'running' && readState(run).step > step);
  expect(readState(run).pid).toBe(pid);
  await panel.locator('.run[data-status=running]').waitFor();

  await window.command('LoRA Workbench: Stop Run');
  await until('the run stops', () => readState(run).status === 'stopped');
  expect(readState(run).pid).toBe(null);
  await panel.locator('.run[data-status=stopped]').waitFor();
  await window.statusBar(/\d+\/5000/).waitFor({ state: 'hidden' });
  expect(existsSync(join(run, 'adapter/adapter_model.safetensors'))).toBe(true);
});

function setting(panel: Frame, path: string): Locator {
  return panel.locator(`[data-setting="${path}"]`);
}

async function fill(panel: Frame, path: string, value: string): Promise<void> {
  await setting(panel, path).locator('input:not([type=range])').fill(value);
}

function startButton(panel: Frame): Locator {
  return panel.getByRole('button', { name: 'Start Training' });
}

/** Tokens of the first example: the question is read, the answer is learned. */
async function preflight(panel: Frame): Promise<void> {
  await panel.getByRole('tab', { name: 'Pre-flight' }).click();
  await panel.getByRole('button', { name: /pre-flight/i }).first().click();
  const sample = panel.locator('.sample').first();
  await sample.waitFor({ timeout: 60_000 });
  const words = async (kind: string) => (await sample.locator(`.token.${kind}`).allTextContents()).join('').replaceAll('·', ' ');
  expect(await words('context')).toMatch(/What is \d+ plus \d+\?/);
  expect(await words('learned')).toMatch(/^\s*The sum of \d+ and \d+ is \d+\./);
  await eventually(panel.locator('[data-setting="data.path"] .field-note'), /40 examples/);
}

/** The table says what metrics.jsonl says, and the pixels of the canvas lie where those values lie. */
async function plotShowsMetrics(panel: Frame, run: string): Promise<void> {
  await panel.getByRole('slider', { name: 'Smoothing' }).fill('0');
  const logged = stepLosses(run);
  expect(logged).toHaveLength(shortRun);
  const canvas = panel.locator('.board .plot-loss canvas');
  await until('the line on the canvas follows the loss', async () => {
    const line = await readDrawnLine(canvas, '--vscode-charts-blue');
    const points = logged.map(({ step, loss }) => ({ x: step, y: loss }));
    return line.columns.length > 0.8 * line.width && agreement(line, points) > 0.99;
  });
  expect(await tableOfLosses(panel)).toEqual(logged.map(({ step, loss }) => ({ step, loss: expect.closeTo(loss, 2) })));
}

function stepLosses(run: string): { step: number; loss: number }[] {
  return readMetrics(run).flatMap(({ step, loss }) => (loss === undefined ? [] : [{ step, loss }]));
}

/** What the plot of the loss shows, as its table twin has it: step by step, smoothing off. */
async function tableOfLosses(panel: Frame): Promise<{ step: number; loss: number }[]> {
  await panel.getByRole('slider', { name: 'Smoothing' }).fill('0');
  const asTable = panel.getByRole('checkbox', { name: 'As table' });
  await asTable.check();
  const body = panel.locator('.board .plot-loss tbody');
  await body.locator('tr').nth(5).waitFor();
  const rows = await body.evaluate((table) =>
    [...table.querySelectorAll('tr')].map((row) => [...row.children].map((cell) => cell.textContent ?? '')),
  );
  await asTable.uncheck();
  return rows.map(([step, loss]) => ({ step: Number(step), loss: Number(loss) })).reverse();
}

async function startLongRun(panel: Frame): Promise<string> {
  const before = bed.runs().length;
  await fill(panel, 'train.max_steps', String(longRun));
  await fill(panel, 'lora.r', '8');
  await startButton(panel).click();
  const run = await until('another run directory', () => bed.runs()[before]);
  await until('some steps', () => existsSync(join(run, 'state.json')) && readState(run).step > 5, 120_000);
  return run;
}

async function shownStep(panel: Frame): Promise<number> {
  const text = await panel.locator('.run-steps').first().textContent();
  return Number(/([\d,]+) of/.exec(text ?? '')?.[1]?.replaceAll(',', ''));
}

function treeRow(view: string, text: string | RegExp): Locator {
  const pane = bed.window.page.locator('.pane', { has: bed.window.page.locator(`.pane-header[aria-label^="${view}"]`) });
  return pane.locator('.monaco-list-row', { hasText: text }).first();
}

/** r·(in + out) for each targeted linear: four of 64×64 where all are adapted, three of 64×176, in three layers. */
function expectedParameters(r: number): number {
  const attention = 2 * r * (64 + 64);
  return 3 * attention;
}

async function eventually(locator: Locator, text: string | RegExp): Promise<void> {
  await until(`the text ${String(text)}`, async () => {
    const found = (await locator.first().textContent()) ?? '';
    return typeof text === 'string' ? found.includes(text) : text.test(found);
  }).catch(async (error: unknown) => {
    throw new Error(`${String(error)} There is: ${await locator.first().textContent()}`);
  });
}
