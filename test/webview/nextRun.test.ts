/** @file The next run: its settings, what keeps it from starting, and how it is distinguished from the run that is shown. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { FineTuneState } from '../../src/protocol/views/fineTune.js';
import { configJson, fineTuneState, metrics, metricsMessage, models, queue, runConfigMessage, runs } from './harness/scenes.js';
import { launchBrowser, View } from './harness/view.js';

let browser: Browser;
let view: View;

beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
afterEach(async () => {
  expect(view.errors).toEqual([]);
  await view.close();
});

const live = runs[0]!;
const stopped = runs[2]!;
const narrow = { width: 500, height: 700 };
const byName = (name: string) => view.page.getByRole('button', { name, exact: true });
/** With a run under way, the next one is added to the queue. */
const start = () => byName('Add to Queue');
const rank = () => view.page.getByRole('textbox', { name: 'Rank' });

async function openWith(state: Partial<FineTuneState>, size = {}): Promise<void> {
  view = await View.open(browser, 'fineTune', { ...fineTuneState, ...state }, size);
}

test('in a narrow panel one thing shows at a time, and Start is always in sight', async () => {
  await openWith({ runId: null }, narrow);
  for (const name of ['Settings', 'Plots', 'Data', 'Pre-flight']) {
    await view.page.getByRole('tab', { name }).click();
    await view.settle();
    const box = (await start().boundingBox())!;
    expect(box.y + box.height).toBeLessThanOrEqual(narrow.height);
    expect(await view.page.locator('.estimate').isVisible()).toBe(true);
    expect(await rank().isVisible()).toBe(name === 'Settings');
    expect(await view.page.evaluate(() => document.documentElement.scrollHeight <= window.innerHeight)).toBe(true);
  }
  await view.page.setViewportSize({ width: 1200, height: 700 });
  await view.settle();
  expect(await rank().isVisible()).toBe(true);
  expect(await view.page.getByRole('tab', { name: 'Settings' }).isVisible()).toBe(false);
  expect(await view.page.getByRole('tab', { name: 'Pre-flight' }).getAttribute('aria-selected')).toBe('true');
});

test('what keeps a run from starting is said by name, and a click leads to it', async () => {
  const train = { ...configJson.train, eval_steps: 0 };
  await openWith(
    { runId: null, document: { kind: 'parsed', config: { ...configJson, train }, throughEdit: 0, name: 'run.json' } },
    narrow,
  );
  await view.page.getByRole('tab', { name: 'Plots' }).click();
  expect(await start().isDisabled()).toBe(true);
  await byName('Evaluate every: Must be at least 1.').click();
  const field = view.page.getByRole('textbox', { name: 'Evaluate every' });
  expect(await field.evaluate((input) => input === document.activeElement)).toBe(true);
  await field.fill('50');
  await view.settle();
  expect(await start().isEnabled()).toBe(true);
});

test('what the host finds keeps it from starting as well: a setting, a misspelt one, the data', async () => {
  await openWith({ runId: null });
  const note = view.page.locator('.start-note');
  const problem = (path: string[], message: string) => ({
    type: 'checked',
    check: { ok: false, problems: [{ path, message }] },
    modelShape: null,
  });
  await view.send(problem(['lora', 'rank'], 'lora.rank is not a known setting; did you mean lora.r?'));
  await view.settle();
  expect(await note.textContent()).toContain('did you mean lora.r?');
  await view.send(
    { type: 'checked', check: fineTuneState.check, modelShape: null },
    { type: 'data', data: { kind: 'failed', message: 'a.jsonl is no JSON.' } },
  );
  await view.settle();
  expect(await note.textContent()).toBe('Data path: a.jsonl is no JSON.');
  expect(await start().isDisabled()).toBe(true);
  await view.send({ type: 'data', data: fineTuneState.data });
  await view.settle();
  expect(await start().isEnabled()).toBe(true);
});

test('the settings of the run that is shown are its own; they can be taken over, and that can be undone', async () => {
  await openWith({ runId: stopped.runId });
  await view.send(metricsMessage(stopped.runId, metrics(80)), runConfigMessage(stopped.runId));
  await view.settle();
  expect(await view.page.locator('.run-settings div', { hasText: /^Rank/ }).locator('dd').textContent()).toBe('32');
  expect(await rank().inputValue()).toBe('16');

  await byName('Use These Settings').click();
  await view.settle();
  expect(await rank().inputValue()).toBe('32');
  const { edits } = await view.waitForPost('edit');
  expect(edits).toContainEqual({ path: ['train', 'max_steps'], value: 171 });
  // Settings that the run had by default are not written out.
  expect(edits).toContainEqual({ path: ['lora', 'dropout'] });

  await byName('Undo').click();
  await view.settle();
  expect(await rank().inputValue()).toBe('16');
  const back = (await view.waitForPost('edit')).edits;
  expect(back).toContainEqual({ path: ['lora', 'r'], value: 16 });
  expect(back).toContainEqual({ path: ['train', 'max_steps'] });
});

test('running again with changes leads to the form, and New Run away from the run', async () => {
  await openWith({ runId: stopped.runId }, narrow);
  await view.send(runConfigMessage(stopped.runId));
  await view.page.getByRole('tab', { name: 'Plots' }).click();
  await byName('Run Again with Changes').click();
  await view.settle();
  expect(await rank().inputValue()).toBe('32');
  expect(await rank().isVisible()).toBe(true);

  await view.page.getByRole('tab', { name: 'Plots' }).click();
  await byName('New Run').click();
  await view.waitForPost('leaveRun');
  await view.send({ type: 'shownRun', runId: null });
  await view.settle();
  expect(await view.page.locator('.run-settings').isVisible()).toBe(false);
});

test('a run says how it goes, and when it has ended what it changed and what to do next', async () => {
  await openWith({ runId: live.runId });
  const evaluated = [
    { step: 0, eval_loss: 2.61 },
    ...metrics(120).filter((metric) => !('eval_loss' in metric)),
    { step: 120, eval_loss: 1.25 },
  ];
  await view.send(metricsMessage(live.runId, evaluated), runConfigMessage(live.runId));
  const course = view.page.locator('.run-course');
  await expect.poll(() => course.textContent()).toMatch(/^The loss is falling: lately from [\d.]+ to [\d.]+\.$/);
  const outcome = view.page.getByRole('region', { name: 'What the run changed' });
  expect(await outcome.isVisible()).toBe(false);

  const ended = { ...live, hasAdapter: true, state: { ...live.state, status: 'finished' } };
  await view.send({ type: 'runEvent', event: { seq: 11, kind: 'changed', run: ended } });
  await expect.poll(() => course.textContent()).toBe('The loss was still falling at the end: more steps may help.');
  expect(await outcome.locator('p').allTextContents()).toEqual([
    'The held-out loss fell from 2.61 before training to 1.25 after it.',
  ]);
  await outcome.getByRole('button', { name: 'Try in Playground' }).click();
  expect(await view.waitForPost('runCommand')).toEqual({ type: 'runCommand', runId: live.runId, command: 'playground' });
  await outcome.getByRole('button', { name: 'Use for Inline Completion' }).click();
  await expect.poll(async () => (await view.waitForPost('runCommand')).command).toBe('completion');

  // Without an adapter there is nothing to try, only something to improve.
  const failed = { ...ended, hasAdapter: false, state: { ...ended.state, status: 'failed' } };
  await view.send({ type: 'runEvent', event: { seq: 12, kind: 'changed', run: failed } });
  await expect.poll(() => outcome.getByRole('button', { name: 'Try in Playground' }).isVisible()).toBe(false);
  expect(await outcome.getByRole('button', { name: 'Run Again with Changes' }).isEnabled()).toBe(true);
});

test('after Stop nothing lies under the pointer that would resume', async () => {
  await openWith({ runId: live.runId });
  const before = (await byName('Stop').boundingBox())!;
  const event = { seq: 11, kind: 'changed', run: { ...live, hasAdapter: true, state: { ...live.state, status: 'stopped' } } };
  await view.send({ type: 'runEvent', event });
  await view.settle();
  expect(await byName('Resume').isVisible()).toBe(true);
  const posts = (await view.posted()).length;
  await view.page.mouse.click(before.x + before.width / 2, before.y + before.height / 2);
  expect(await view.posted()).toHaveLength(posts);
});

test('who has no model is offered one, sees it come, and can stop it', async () => {
  const empty = {
    runId: null,
    models: [],
    check: null,
    data: { kind: 'none' },
    document: { kind: 'parsed', config: {}, throughEdit: 0, name: 'run.json' },
  } as const;
  await openWith(empty);
  await byName('Download SmolLM2-135M-Instruct (98 MB)').click();
  await view.waitForPost('fetchSmallModel');
  await view.send({ type: 'fetching', fetching: { kind: 'fetching', done: 49_000_000, total: 98_000_000 } });
  await view.settle();
  expect(await view.page.locator('.fetching progress').evaluate((bar: HTMLProgressElement) => bar.value)).toBeCloseTo(0.5);
  await byName('Cancel').click();
  await view.waitForPost('cancelFetch');
  await view.send({ type: 'fetching', fetching: { kind: 'failed', message: 'No network.' } });
  await view.settle();
  expect(await view.page.getByRole('alert').filter({ hasText: 'No network.' }).isVisible()).toBe(true);
  await byName('Choose a Model File or Folder…').click();
  expect(await view.waitForPost('browse')).toEqual({ type: 'browse', setting: 'model' });
  await byName('Try with Sample Data').click();
  await view.waitForPost('useSampleData');
  await view.send({ type: 'fetching', fetching: { kind: 'none' } }, { type: 'models', models });
  await view.settle();
  expect(await view.page.locator('.first-model').isVisible()).toBe(false);
});

test('a text that cannot be read offers to be mended or begun anew', async () => {
  await openWith({ runId: null });
  await view.send({
    type: 'document',
    document: { kind: 'broken', message: 'run.json is not valid JSON at present.', name: 'run.json' },
  });
  await view.settle();
  expect(await start().isDisabled()).toBe(true);
  await byName('Open JSON').click();
  await view.waitForPost('openJson');
  await byName('Reset Settings').click();
  await view.waitForPost('resetDocument');
  await view.send({ type: 'document', document: fineTuneState.document });
  await view.settle();
  expect(await rank().isEnabled()).toBe(true);
});

test('a run that is started while others are trained waits: the button and its note say so before, the panel after', async () => {
  await openWith({ runId: null, runs: { runs: runs.slice(1), throughSeq: 1 } });
  const note = view.page.locator('.start-note');
  expect(await byName('Start Training').isEnabled()).toBe(true);
  expect(await note.isVisible()).toBe(false);

  const change = (seq: number, run: unknown) => view.send({ type: 'runEvent', event: { seq, kind: 'changed', run } });
  await change(2, live);
  await view.settle();
  expect(await note.textContent()).toBe('It is trained after support-answers.');
  await start().click();
  expect(await view.waitForPost('start')).toBeDefined();

  const [, next, last] = queue;
  await change(3, next);
  await change(4, last);
  await view.send({ type: 'shownRun', runId: last!.runId });
  await view.settle();
  expect(await view.page.locator('.run-steps').textContent()).toBe('Waiting · 2nd in the queue');
  expect(await view.page.locator('.run-course').textContent()).toBe('It is trained after support-answers and one more run.');
  expect(await note.textContent()).toBe('It is trained after support-answers and 2 more runs.');
  expect(await start().isEnabled()).toBe(true);
  await byName('Start Now').click();
  await byName('Remove from Queue').click();
  const commands = (await view.posted()).filter(({ type }) => type === 'runCommand');
  expect(commands).toMatchObject([
    { runId: last!.runId, command: 'startNow' },
    { runId: last!.runId, command: 'dequeue' },
  ]);

  await change(5, { ...live, state: { ...live.state, status: 'paused' } });
  await view.settle();
  expect(await view.page.locator('.run-course').textContent()).toContain('support-answers is paused: resume or stop it');
  await change(6, { ...live, state: { ...live.state, status: 'stopped' } });
  await change(7, { ...next, state: { ...next!.state, status: 'stopped' } });
  await view.settle();
  expect(await view.page.locator('.run-course').textContent()).toBe('It starts now.');
});
