/** @file The conversation between host and webviews, in a real browser. */
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import {
  codeOverview,
  examplePage,
  config,
  configJson,
  fineTuneState,
  metrics,
  metricsMessage,
  models,
  moreAdapters,
  batch,
  playgroundState,
  queue,
  report,
  run,
  runs,
  samples,
  samplesMessage,
  comparedSpectrum,
  intrudersOf,
  leakReport,
  rankLosses,
  shownSpectrum,
  begunSweep,
  halvedSweep,
  rankSweep,
  uncertainSweep,
  runOfRow,
  sweepPlan,
  statistics,
} from './harness/scenes.js';
import type { Metric } from '../../src/protocol/run.js';
import { firstSettings } from '../../webview/playground/settingsFields.js';
import { themes, themeVariables } from './harness/themes.js';
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

const loss = '.plot-loss canvas';
const blue = themes.dark.colors['charts-blue'];
const live = runs[0]!;

async function openPanel(remembered?: unknown): Promise<void> {
  view = await View.open(browser, 'fineTune', fineTuneState, { remembered });
  await view.send(metricsMessage(live.runId, metrics(120)));
  await view.settle();
}

test('the loss is drawn on the canvas, and summarised for those who cannot see it', async () => {
  await openPanel();
  expect(await view.pixels(loss, blue)).toBeGreaterThan(500);
  const label = await view.page.locator(loss).getAttribute('aria-label');
  expect(label).toMatch(/^Loss\. Training [\d.]+ at step 120; Evaluation [\d.]+ at step 120\.$/);
});

test('the read-out shows what metrics hold at the step under the pointer', async () => {
  const all = metrics(120);
  await openPanel({
    tab: 'plots',
    advancedOpen: false,
    overlaid: [],
    board: { smoothing: 0, logScale: false, asTable: false, range: null },
  });
  const area = view.page.locator('.plot-loss .plot-area');
  await area.focus();
  await area.press('ArrowRight');
  await area.press('ArrowLeft');
  await expect.poll(() => view.page.locator('.plot-loss .legend-step').textContent()).toBe('Step 119');
  const expected = all.find((metric) => metric.step === 119 && 'loss' in metric) as { loss: number };
  const shown = Number(await view.page.locator('.plot-loss .legend-value').first().textContent());
  expect(shown).toBeCloseTo(expected.loss, 3);
  expect(await view.page.locator('.visually-hidden[role=status]').textContent()).toContain('Step 119');
});

test('dragging across a plot zooms all plots, the view is remembered, and the reset shows everything again', async () => {
  await openPanel();
  const box = (await view.page.locator(loss).boundingBox())!;
  await view.page.mouse.move(box.x + box.width * 0.3, box.y + 100);
  await view.page.mouse.down();
  await view.page.mouse.move(box.x + box.width * 0.6, box.y + 120, { steps: 5 });
  await view.page.mouse.up();
  await view.settle();
  const zoomed = (await view.remembered()) as { board: { range: [number, number] } };
  expect(zoomed.board.range[0]).toBeGreaterThan(20);
  expect(zoomed.board.range[1]).toBeLessThan(90);
  await view.page.keyboard.down('Shift');
  await view.page.mouse.move(box.x + box.width * 0.5, box.y + 100);
  await view.page.mouse.down();
  await view.page.mouse.move(box.x + box.width * 0.3, box.y + 100, { steps: 5 });
  await view.page.mouse.up();
  await view.page.keyboard.up('Shift');
  const panned = (await view.remembered()) as { board: { range: [number, number] } };
  expect(panned.board.range[0]).toBeGreaterThan(zoomed.board.range[0]);
  const width = ([from, to]: [number, number]) => to - from;
  expect(width(panned.board.range)).toBeCloseTo(width(zoomed.board.range), 6);
  await view.page.getByRole('button', { name: 'Show All Steps' }).click();
  expect(await view.remembered()).toMatchObject({ board: { range: null } });
});

test('increments that the snapshot has already are dropped, and a gap asks for the run anew', async () => {
  await openPanel();
  const all = metrics(130);
  await view.send(metricsMessage(live.runId, all.slice(100), 100));
  await view.settle();
  expect(await view.page.locator(loss).getAttribute('aria-label')).toContain('at step 130');
  const follows = (await view.posted()).filter(({ type }) => type === 'follow').length;
  await view.send(metricsMessage(live.runId, all.slice(0, 3), 5000));
  const after = (await view.posted()).filter(({ type }) => type === 'follow');
  expect(after.slice(follows)).toEqual([
    { type: 'follow', runIds: [] },
    { type: 'follow', runIds: [live.runId] },
  ]);
  // A host that cannot fill the gap is not asked forever.
  await view.send(metricsMessage(live.runId, [{ step: 9000, eval_loss: 1 }], 5000));
  await view.settle();
  expect((await view.posted()).filter(({ type }) => type === 'follow')).toHaveLength(after.length);
  expect(await view.page.locator(loss).getAttribute('aria-label')).toContain('at step 9,000');
});

test('events of the past change nothing, later ones do', async () => {
  await openPanel();
  const event = (seq: number, name: string) => ({
    type: 'runEvent',
    event: { seq, kind: 'changed', run: { ...live, name } },
  });
  await view.send(event(10, 'stale'));
  await view.settle();
  expect(await view.page.locator('.run-header .run-name').textContent()).toBe('support-answers');
  await view.send(event(11, 'renamed'));
  await view.settle();
  expect(await view.page.locator('.run-header .run-name').textContent()).toBe('renamed');
});

test('form and document are two views of one thing', async () => {
  await openPanel();
  const rank = view.page.getByRole('textbox', { name: 'Rank' });
  await rank.fill('8');
  await view.settle();
  expect(await view.page.locator('.estimate').textContent()).toContain('921,600');
  const edit = await view.waitForPost('edit');
  expect(edit).toEqual({ type: 'edit', edit: 1, edits: [{ path: ['lora', 'r'], value: 8 }] });
  // An echo from before the edit must not undo what was typed.
  const document = (r: number, throughEdit: number) => ({
    type: 'document',
    document: { kind: 'parsed', config: { ...configJson, lora: { r } }, throughEdit, name: 'run.json' },
  });
  await view.send(document(16, 0));
  await view.settle();
  expect(await rank.inputValue()).toBe('8');
  await view.send(document(4, 1));
  await view.settle();
  expect(await rank.inputValue()).toBe('4');
});

test('a value out of range is reported while it is typed and keeps the run from starting', async () => {
  view = await View.open(browser, 'fineTune', { ...fineTuneState, runId: null });
  const start = view.page.getByRole('button', { name: 'Add to Queue' });
  const rank = view.page.getByRole('textbox', { name: 'Learning rate' });
  expect(await start.isEnabled()).toBe(true);
  await rank.fill('2');
  await view.settle();
  expect(await rank.getAttribute('aria-invalid')).toBe('true');
  expect(await view.page.locator('[data-setting="train.learning_rate"] .field-error').textContent()).toBe('Must be at most 1.');
  expect(await start.isEnabled()).toBe(false);
  await rank.fill('2e-4');
  await start.click();
  const posted = (await view.posted()).slice(-2);
  expect(posted.map(({ type }) => type)).toEqual(['edit', 'start']);
});

test('a preset changes the document in one edit, and a broken document locks the form', async () => {
  await openPanel();
  await view.page.getByRole('button', { name: 'Instructions (Alpaca)' }).click();
  const { edits } = await view.waitForPost('edit');
  expect(edits).toContainEqual({ path: ['train', 'gradient_accumulation_steps'], value: 32 });
  // What the preset for code would have left behind returns to its default.
  expect(edits).toContainEqual({ path: ['data', 'packing'] });
  await view.send({
    type: 'document',
    document: { kind: 'broken', message: 'line 3: a comma is missing.', name: 'run.json' },
  });
  await view.settle();
  expect(await view.page.getByRole('textbox', { name: 'Rank' }).isDisabled()).toBe(true);
  expect(await view.page.getByRole('alert').first().textContent()).toContain('line 3');
});

test('what was looked at survives the webview', async () => {
  await openPanel();
  await view.page.getByRole('tab', { name: 'Pre-flight' }).click();
  const remembered = await view.remembered();
  await view.close();
  await openPanel(remembered);
  expect(await view.page.getByRole('tab', { name: 'Pre-flight' }).getAttribute('aria-selected')).toBe('true');
  await view.close();
  await openPanel({ from: 'another version' });
  expect(await view.page.getByRole('tab', { name: 'Plots' }).getAttribute('aria-selected')).toBe('true');
});

test('the plots follow a change of the theme', async () => {
  await openPanel();
  const light = themeVariables('light');
  await view.page.evaluate((variables) => {
    document.body.className = 'vscode-light';
    for (const [name, value] of Object.entries(variables)) document.documentElement.style.setProperty(name, value);
  }, light);
  await view.settle();
  expect(await view.pixels(loss, themes.light.colors['charts-blue'])).toBeGreaterThan(500);
});

test('plots are exported as a picture and as numbers', async () => {
  await openPanel();
  await view.page.getByRole('button', { name: 'Save Metrics as CSV…' }).click();
  const csv = (await view.waitForPost('export')).content.split('\n');
  expect(csv[0]).toBe('run,step,loss,learning_rate,grad_norm,tokens_per_second,cpu_percent,memory_bytes,eval_loss');
  expect(csv).toHaveLength(1 + 120 + 6 + 1);
  await view.page.getByRole('button', { name: 'Save Plots as PNG…' }).click();
  await expect.poll(async () => (await view.waitForPost('export')).format).toBe('png');
  const png = Buffer.from((await view.waitForPost('export')).content, 'base64');
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  expect(png.length).toBeGreaterThan(10_000);
});

test('the processor and the memory are drawn where they were measured, and a run of an earlier version lacks their plots', async () => {
  await openPanel();
  const plot = (name: string) => view.page.locator('figure.plot', { hasText: name });
  for (const name of ['Processor (100% = one core)', 'Memory']) expect(await plot(name).isVisible()).toBe(true);
  const memory = plot('Memory').locator('canvas');
  expect(await memory.getAttribute('aria-label')).toMatch(/^Memory\. 1\.\d+ GB at step 120\.$/);
  await view.page.getByRole('checkbox', { name: 'As table' }).check();
  await view.settle();
  expect(await plot('Processor').locator('tbody tr').first().textContent()).toMatch(/^120\d+%$/);

  const earlier = metrics(120).map((metric) =>
    'loss' in metric ? { ...metric, memory_bytes: undefined, cpu_percent: undefined } : metric,
  );
  await view.send(metricsMessage(live.runId, JSON.parse(JSON.stringify(earlier)) as Metric[]));
  await view.settle();
  for (const name of ['Processor (100% = one core)', 'Memory']) expect(await plot(name).isVisible()).toBe(false);
  await view.page.getByRole('button', { name: 'Save Metrics as CSV…' }).click();
  const [, first] = (await view.waitForPost('export')).content.split('\n');
  expect(first).toMatch(/,,,$/);
});

test.each([1280, 500])('no plot moves while values are read, at %i pixels with three runs', async (width) => {
  const remembered = {
    tab: 'plots',
    advancedOpen: false,
    overlaid: runs.slice(1).map(({ runId }) => runId),
    board: { smoothing: 0, logScale: false, asTable: false, range: null },
  };
  view = await View.open(browser, 'fineTune', fineTuneState, { remembered, width });
  await view.send(...runs.map(({ runId }, index) => metricsMessage(runId, metrics(120 - 30 * index, { seed: 3 + index }))));
  await view.settle();
  const places = () =>
    view.page.locator('.plot-area').evaluateAll((areas) => {
      const board = areas[0]!.closest('.board')!.getBoundingClientRect();
      return areas.map((area) => [area.getBoundingClientRect().top - board.top, area.getBoundingClientRect().height]);
    });
  const before = await places();
  expect(before).toHaveLength(6);
  await view.page.locator('.plot-loss .plot-area').focus();
  for (const key of ['ArrowRight', ...Array.from({ length: 40 }, () => 'ArrowLeft')]) {
    await view.page.keyboard.press(key);
    await view.settle();
    expect(await places()).toEqual(before);
  }
});

test('markup in names, data and messages is shown as text', async () => {
  const script = '<img src=x onerror="document.body.dataset.owned=1"><script>document.body.dataset.owned=1</script>';
  const state = structuredClone(fineTuneState) as unknown as {
    preflight: { report: { warnings: string[] } };
    data: {
      overview: { skipped: { reason: string }[]; files: unknown[]; fileCount: number; languages: unknown[]; leftOut: unknown[] };
    };
    runs: { runs: { name: string }[] };
    models: { name: string }[];
    document: { name: string };
  };
  const { report } = state.preflight;
  report.warnings[0] = script;
  const { overview } = state.data;
  overview.skipped[0]!.reason = script;
  overview.files = [{ path: script, examples: 1, tokens: 1, heldOut: true }];
  overview.languages = [{ name: script, files: 1, tokens: 1 }];
  overview.fileCount = 1;
  overview.leftOut = [{ kind: 'credential', count: 1, files: [{ path: script, line: 1, detail: script }] }];
  const [sample] = examplePage.examples;
  const hostileSample = { ...sample!, origin: script, tokens: [{ ...sample!.tokens[0]!, text: script }] };
  state.runs.runs.forEach((hostile) => {
    hostile.name = script;
  });
  state.models[0]!.name = script;
  state.document.name = script;
  const remembered = {
    tab: 'data',
    advancedOpen: false,
    overlaid: [runs[1]!.runId],
    board: { smoothing: 0, logScale: false, asTable: true, range: null },
  };
  view = await View.open(browser, 'fineTune', state as unknown as typeof fineTuneState, { remembered });
  await view.send(metricsMessage(live.runId, metrics(120)), metricsMessage(runs[1]!.runId, metrics(120)));
  await view.send({ type: 'examples', page: { ...examplePage, examples: [hostileSample] } });
  await view.settle();
  expect(await view.page.locator('.token').nth(3).textContent()).toContain('script');
  const origin = view.page.locator('.sample .link').first();
  expect(await origin.textContent()).toBe(script.split('/').at(-1)); // a path is shown by its last part only
  expect(await origin.getAttribute('title')).toContain(script);
  await view.page.getByRole('tab', { name: 'Plots' }).click();
  await view.settle();
  expect(await view.page.locator('.plot-loss thead th').nth(1).textContent()).toBe(script);
  expect(
    await view.page.evaluate(() => [document.querySelectorAll('img, script').length, document.body.dataset['owned'] ?? '']),
  ).toEqual([0, '']);
});

test('messages of a wrong shape are dropped, and the host is told', async () => {
  await openPanel();
  const before = await view.page.locator('main').innerHTML();
  await view.send(
    null,
    'text',
    { type: 'unknown' },
    { type: 'constructor' },
    { type: 'document', document: { kind: 'parsed', config: [], throughEdit: 9, name: 'run.json' } },
    {
      type: 'runEvent',
      event: { seq: 99, kind: 'changed', run: { ...live, state: { ...live.state, status: 'exploded' } } },
    },
    { type: 'metrics', runId: live.runId, first: 0, metrics: [{ step: 1, loss: 'low' }] },
    { type: 'metrics', runId: 'unheard of', first: 0, metrics: metrics(3) },
    { type: 'hydrate', view: 'fineTune', state: {}, strings: {}, locale: 'en' },
    { type: 'hydrate', view: 'playground', state: playgroundState, strings: {}, locale: 'en' },
  );
  await view.settle();
  // Each dropped message is reported to the host; metrics of a run that nobody follows are not among them.
  const told = (await view.posted()).filter(({ type }) => type === 'malformed');
  expect(told).toHaveLength(9);
  expect(await view.page.locator('main').innerHTML()).toBe(before);
});

test('a million points: a message and its redraw take under 50 ms', async () => {
  view = await View.open(browser, 'fineTune', fineTuneState);
  const total = 1_000_000;
  const frames = await view.page.evaluate(
    async ({ runId, count }) => {
      const metric = (step: number) => ({
        step,
        loss: 1 + Math.sin(step / 9) + 1000 / step,
        learning_rate: 1e-4,
        grad_norm: 1 + Math.cos(step),
        tokens: step,
        tokens_per_second: 400 + (step % 17),
        elapsed_seconds: step,
        peak_memory_bytes: 1,
      });
      const send = (first: number, length: number) => {
        const data = {
          type: 'metrics',
          runId,
          first,
          metrics: Array.from({ length }, (_, index) => metric(first + index + 1)),
        };
        const began = performance.now();
        window.dispatchEvent(new MessageEvent('message', { data }));
        return performance.now() - began;
      };
      let inFrames = 0;
      const { requestAnimationFrame: next } = window;
      window.requestAnimationFrame = (draw) =>
        next.call(window, (time) => {
          const began = performance.now();
          draw(time);
          inFrames += performance.now() - began;
        });
      // Drawn lazily, after the pause that the previous draw earned.
      const drawn = async () => {
        do await new Promise((done) => setTimeout(done, 20));
        while (document.querySelector('[data-stale]'));
      };
      for (let first = 0; first < count; first += 5000) send(first, 5000);
      await drawn();
      const costs: number[] = [];
      for (let round = 0; round < 6; round++) {
        inFrames = 0;
        const message = send(count + round * 100, 100);
        await drawn();
        costs.push(message + inFrames);
      }
      return costs.sort((a, b) => a - b);
    },
    { runId: live.runId, count: total },
  );
  expect(await view.page.locator(loss).getAttribute('aria-label')).toContain('at step 1,000,600');
  expect(await view.pixels(loss, blue)).toBeGreaterThan(100);
  // Not the median: other programs may occupy the core for many frames.
  expect(frames[1]).toBeGreaterThan(0);
  expect(frames[1]).toBeLessThan(50);
});

test('the panel can be used within a second of its page being loaded', async () => {
  const times = [];
  // The best of three: other programs may occupy the core.
  for (let attempt = 0; attempt < 3; attempt++) {
    await openPanel();
    times.push(await timeUntilUsable());
    await view.close();
  }
  expect(Math.min(...times)).toBeLessThan(1000);
});

async function timeUntilUsable(): Promise<number> {
  const readyAt = await view.page.evaluate(() => (window as unknown as { readyAt: number }).readyAt);
  const hydrated = await view.page.evaluate(async (state) => {
    const began = performance.now();
    window.dispatchEvent(
      new MessageEvent('message', { data: { type: 'hydrate', view: 'fineTune', state, strings: {}, locale: 'en' } }),
    );
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return performance.now() - began;
  }, fineTuneState);
  return readyAt + hydrated;
}

test('the monitor shows a live run, and its buttons act on it', async () => {
  view = await View.open(browser, 'monitor', { runs: { runs, throughSeq: 1 }, trusted: true }, { width: 320 });
  expect((await view.waitForPost('follow')).runIds).toEqual([live.runId]);
  await view.send(metricsMessage(live.runId, metrics(120)));
  await view.settle();
  expect(await view.pixels(loss, blue)).toBeGreaterThan(50);
  await view.page.getByRole('button', { name: 'Pause' }).click();
  expect(await view.waitForPost('runCommand')).toEqual({ type: 'runCommand', runId: live.runId, command: 'pause' });
  const paused = { ...live, state: { ...live.state, status: 'paused' as const } };
  await view.send({ type: 'runEvent', event: { seq: 2, kind: 'changed', run: paused } });
  await view.settle();
  expect(await view.page.getByRole('button', { name: 'Pause' }).isVisible()).toBe(false);
  expect(await view.page.getByRole('button', { name: 'Resume' }).isVisible()).toBe(true);
  expect(await view.page.locator('[role=status]').textContent()).toBe('support-answers: Paused.');
  const better = { ...paused, state: { ...paused.state, step: 125, bestStep: 124, bestEvalLoss: 1.25 } };
  await view.send({ type: 'runEvent', event: { seq: 3, kind: 'changed', run: better } });
  await view.settle();
  expect(await view.page.locator('[role=status]').textContent()).toMatch(/1\.25, at step 124/);
  await view.send({ type: 'runEvent', event: { seq: 4, kind: 'removed', runId: live.runId } });
  await view.settle();
  await view.page.getByRole('button', { name: 'Fine-Tune…' }).click();
  await view.waitForPost('fineTune');
});

test('a second click where Stop was does nothing', async () => {
  view = await View.open(browser, 'monitor', { runs: { runs: [live], throughSeq: 1 }, trusted: true }, { width: 320 });
  await view.settle();
  const stop = view.page.getByRole('button', { name: 'Stop' });
  const { x, y, width, height } = (await stop.boundingBox())!;
  await stop.click();
  expect(await view.waitForPost('runCommand')).toMatchObject({ command: 'stop' });
  const stopped = { ...live, hasAdapter: true, state: { ...live.state, status: 'stopped' as const } };
  await view.send({ type: 'runEvent', event: { seq: 2, kind: 'changed', run: stopped } });
  await view.page.getByRole('button', { name: 'Resume' }).waitFor();
  const there = await view.page.evaluate(
    ([left, top]) => document.elementFromPoint(left!, top!)?.closest('button')?.title ?? null,
    [x + width / 2, y + height / 2],
  );
  expect(there).toBe(null);
});

test('the monitor shows what is trained and names what waits; a click on a name opens it', async () => {
  view = await View.open(browser, 'monitor', { runs: { runs: queue, throughSeq: 1 }, trusted: true }, { width: 320 });
  await view.settle();
  expect(await view.page.locator('.run-card .run-name').allTextContents()).toEqual(['support-answers']);
  const waiting = view.page.locator('.waiting-runs');
  expect(await waiting.locator('h2').textContent()).toBe('In the queue: 6');
  expect(await waiting.locator('li').allTextContents()).toEqual(queue.slice(1, 6).map(({ name }) => name));
  expect(await waiting.locator('p').textContent()).toBe('and 1 more');
  await waiting.getByText('r2', { exact: true }).click();
  expect(await view.waitForPost('runCommand')).toMatchObject({ runId: queue[2]!.runId, command: 'open' });
});

test('a run that has not begun has no steps to count', async () => {
  const begun = run('new', 'preparing', 0, 1);
  const fresh = { ...begun, state: { ...begun.state, totalSteps: 0, epoch: 0 } };
  view = await View.open(browser, 'monitor', { runs: { runs: [fresh], throughSeq: 1 }, trusted: true }, { width: 320 });
  await view.settle();
  expect(await view.page.locator('.run-steps').textContent()).toBe('Preparing');
});

const summary = { tokens: 2, tokensPerSecond: 12.345, firstTokenMs: 80, reason: 'length', template: 'chat' } as const;
const newest = '/workspace/runs/support-answers/adapter';

test('the playground asks once and fills both columns', async () => {
  view = await View.open(browser, 'playground', playgroundState);
  await view.page.getByRole('textbox', { name: 'Prompt' }).press('Control+Enter');
  expect(await view.waitForPost('generate')).toMatchObject({
    prompt: 'How do I reset my password?',
    request: {
      requestId: 1,
      model: models[0]!.path,
      left: { adapter: null },
      right: { adapter: newest, strength: 1 },
      template: 'auto',
    },
  });
  await view.send(
    { type: 'token', requestId: 1, side: 'left', text: '<b>one</b>' },
    { type: 'token', requestId: 1, side: 'right', text: 'two ' },
    { type: 'token', requestId: 0, side: 'right', text: 'from before' },
    { type: 'token', requestId: 1, side: 'right', text: 'three' },
    { type: 'generated', requestId: 1, side: 'right', summary },
    { type: 'generateFailed', requestId: 1, side: 'left', message: 'Out of memory.' },
  );
  await view.settle();
  expect(await view.page.locator('.stream-text').allTextContents()).toEqual(['<b>one</b>', 'two three']);
  expect(await view.page.locator('.stream-summary').allTextContents()).toEqual([
    'Out of memory.',
    '2 tokens · 12.3 tokens/s · first after 80 ms · reached the limit · read as chat',
  ]);
  await view.page.getByRole('button', { name: /Copy output: support-answers/ }).click();
  expect(await view.waitForPost('copy')).toEqual({ type: 'copy', text: 'two three' });
});

const [left, right] = ['Model on the left', 'Model on the right'];

test('the playground begins with the base beside the newest adapter of its model, and any two can be compared', async () => {
  view = await View.open(browser, 'playground', { ...playgroundState, adapters: moreAdapters, prefill: null });
  const model = view.page.getByLabel('Base model', { exact: true });
  // The newest adapter of all is the one that users want to look at.
  expect(await model.inputValue()).toBe(models[1]!.path);
  expect(await view.page.getByLabel(right).inputValue()).toBe('/workspace/runs/verses/adapter');
  await model.selectOption(models[0]!.path);
  expect(await view.page.getByLabel(left).inputValue()).toBe('');
  expect(await view.page.getByLabel(right).inputValue()).toBe(newest);
  expect(await view.page.getByLabel(right).locator('option').allTextContents()).toEqual([
    'Base model',
    'support-answers (rank 8)',
    'first-try (rank 8)',
    'Another adapter…',
  ]);
  await view.page.getByLabel(left).selectOption('/workspace/runs/first-try/adapter');
  await view.page.getByText('Strength and sampling').click();
  await view.page.getByLabel('Strength of first-try').fill('0.5');
  await view.page.getByRole('textbox', { name: 'Prompt' }).fill('Hello');
  await view.page.getByLabel('Read as').selectOption('alpaca');
  await view.page.getByRole('button', { name: 'Run', exact: true }).click();
  expect((await view.waitForPost('generate')).request).toMatchObject({
    left: { adapter: '/workspace/runs/first-try/adapter', strength: 0.5 },
    right: { adapter: newest, strength: 1 },
    template: 'alpaca',
  });
  await view.page.getByLabel(right).selectOption('Another adapter…');
  expect(await view.waitForPost('browseAdapter')).toEqual({ type: 'browseAdapter', side: 'right' });
  expect(await view.page.getByLabel(right).inputValue()).toBe(newest);
  await view.send({ type: 'adapterChosen', side: 'right', adapter: '/elsewhere/poems' });
  await expect.poll(() => view.page.getByLabel(right).inputValue()).toBe('/elsewhere/poems');
});

test('a model without adapters answers alone', async () => {
  view = await View.open(browser, 'playground', { ...playgroundState, adapters: [], prefill: null });
  expect(await view.page.locator('.stream:visible').count()).toBe(1);
  await view.page.getByText('Once you have fine-tuned an adapter on this model').waitFor();
  await view.send({ type: 'choices', models, adapters: moreAdapters });
  await expect.poll(() => view.page.locator('.stream:visible').count()).toBe(2);
});

const remembered = {
  opening: 1,
  model: models[0]!.path,
  left: { adapter: null, strength: 1 },
  right: { adapter: newest, strength: 0 },
  prompt: 'Hello',
  settings: firstSettings,
  requestId: 4,
};

test.each([
  [1, '0'],
  [2, '1'],
])('a strength that was set in opening 1 is in opening %i at %s', async (opening, strength) => {
  view = await View.open(browser, 'playground', { ...playgroundState, opening, prefill: null }, { remembered });
  await view.page.getByText('Strength and sampling').click();
  expect(await view.page.getByLabel('Strength of support-answers').inputValue()).toBe(strength);
  expect(await view.page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('Hello');
});

test('what was chosen stays while the models are still looked for', async () => {
  const chosen = { ...remembered, right: { adapter: '/workspace/runs/first-try/adapter', strength: 0.5 } };
  const state = { ...playgroundState, models: [], adapters: [], prefill: null };
  view = await View.open(browser, 'playground', state, { remembered: chosen });
  await view.send({ type: 'choices', models, adapters: moreAdapters });
  await expect.poll(() => view.page.getByLabel(right).inputValue()).toBe('/workspace/runs/first-try/adapter');
  await view.page.getByText('× 0.5').waitFor();
});

test('answers that came while the playground was hidden are there when it comes back', async () => {
  const answers = [
    { requestId: 4, side: 'left', text: 'finished meanwhile', end: { kind: 'generated', summary } },
    { requestId: 4, side: 'right', text: 'still ', end: null },
  ] as const;
  view = await View.open(browser, 'playground', { ...playgroundState, prefill: null, answers }, { remembered });
  await view.send({ type: 'token', requestId: 4, side: 'right', text: 'going' });
  await view.settle();
  expect(await view.page.locator('.stream-text').allTextContents()).toEqual(['finished meanwhile', 'still going']);
  await view.page.getByRole('button', { name: 'Stop' }).click();
  expect(await view.waitForPost('stopGenerating')).toEqual({ type: 'stopGenerating', requestId: 4 });
});

test('an earlier prompt is taken up again, and all of them are forgotten', async () => {
  view = await View.open(browser, 'playground', { ...playgroundState, history: ['What is LoRA?', 'def add(a,\n  b):'] });
  await view.page.getByText('Earlier prompts (2)').click();
  await view.page.getByRole('button', { name: 'def add(a, b):' }).click();
  expect(await view.page.getByRole('textbox', { name: 'Prompt' }).inputValue()).toBe('def add(a,\n  b):');
  await view.page.getByRole('button', { name: 'Clear' }).click();
  await view.waitForPost('clearHistory');
  await view.send({ type: 'history', history: [] });
  await view.page.getByText('Earlier prompts').waitFor({ state: 'hidden' });
});

test('the prompts of a file fill a table, which is stopped, saved and closed', async () => {
  view = await View.open(browser, 'playground', playgroundState);
  const { page } = view;
  await page.getByRole('button', { name: 'Run a File…' }).click();
  expect((await view.waitForPost('generateFile')).request).toMatchObject({ requestId: 1, right: { adapter: newest } });
  await view.send({ type: 'batch', batch });
  await view.send(
    { type: 'batchAnswer', requestId: 1, row: 2, side: 'left', answer: { kind: 'text', text: '<i>On its way.</i>' } },
    { type: 'batchAnswer', requestId: 9, row: 2, side: 'right', answer: { kind: 'text', text: 'of another table' } },
  );
  await view.settle();
  expect(await page.locator('.batch thead th').allTextContents()).toEqual(['Prompt', 'Base model', 'support-answers × 0.5']);
  expect(await page.locator('.batch tbody tr').last().locator('th, td').allTextContents()).toEqual([
    'Where is my order?',
    '<i>On its way.</i>',
    '',
  ]);
  await page.getByText('2 of 3 answered').waitFor();
  await page.getByRole('button', { name: 'Stop' }).click();
  expect(await view.waitForPost('stopGenerating')).toEqual({ type: 'stopGenerating', requestId: 1 });
  await view.send({ type: 'batchEnded', requestId: 1 });
  await page.getByRole('button', { name: 'Stop' }).waitFor({ state: 'hidden' });
  await page.getByRole('button', { name: 'Save as JSONL…' }).click();
  await view.waitForPost('saveBatch');
  await page.getByRole('button', { name: 'Close the Table' }).click();
  await view.waitForPost('closeBatch');
  await view.send({ type: 'batch', batch: null });
  await page.locator('.stream').first().waitFor();
  // Ids continue from those of the table.
  await page.getByRole('button', { name: 'Run', exact: true }).click();
  expect((await view.waitForPost('generate')).request.requestId).toBe(2);
});

test('an answer that is said to be complete is there as a whole', async () => {
  view = await View.open(browser, 'playground', playgroundState);
  await view.page.getByRole('button', { name: 'Run', exact: true }).click();
  const messages = [
    { type: 'token', requestId: 1, side: 'left', text: 'all of it' },
    { type: 'generated', requestId: 1, side: 'left', summary },
  ];
  // Read in the page, before it can draw a frame.
  const text = await view.page.evaluate((all) => {
    for (const data of all) window.dispatchEvent(new MessageEvent('message', { data }));
    return document.querySelector('.stream:not(.streaming) .stream-text')?.textContent;
  }, messages);
  expect(text).toBe('all of it');
});

test('the estimate follows the settings as they move', async () => {
  view = await View.open(browser, 'fineTune', fineTuneState);
  const estimate = view.page.locator('.estimate');
  const figure = (name: string) => estimate.locator('div', { hasText: name }).locator('dd').textContent();
  await view.page.locator('[data-setting="lora.r"] input[type=range]').fill('32');
  await view.settle();
  expect(await figure('Scale')).toBe('1');
  const shares = await figure('Trainable');
  await view.page.locator('[data-setting="lora.r"] input[type=range]').fill('64');
  await view.settle();
  const count = (text: string | null) => Number(text!.split(' ')[0]!.replaceAll(',', ''));
  expect(count(await figure('Trainable'))).toBe(2 * count(shares));

  const steps = async () => Number(/\(([\d,]+) steps\)/.exec((await figure('Time'))!)![1]!.replaceAll(',', ''));
  const before = await steps();
  await view.page.locator('[data-setting="train.num_epochs"] input').fill('6');
  await view.settle();
  expect(await steps()).toBe(2 * before);
  const overview = { ...codeOverview, format: 'alpaca', examples: 10, tokens: 99, truncated: 4, rows: 10 } as const;
  await view.send({ type: 'data', data: { kind: 'ready', overview } });
  await view.settle();
  expect(await steps()).toBeLessThan(before);
  expect(await view.page.locator('[data-setting="data.path"] .field-note').textContent()).toBe(
    'alpaca · 10 examples · 99 tokens · 4 truncated',
  );
});

test('the data is listed by file, and its examples are paged through and searched', async () => {
  view = await View.open(browser, 'fineTune', { ...fineTuneState, runId: null, data: { kind: 'reading', share: 0.4 } });
  await view.send({ type: 'data', data: { kind: 'ready', overview: codeOverview } });
  await view.settle();
  // There is no run to plot yet, so the data comes to the front.
  const tab = view.page.locator('.data-tab');
  const rows = tab.locator('.data-files tbody tr');
  expect(await rows.first().textContent()).toBe('server/app.py4,100');
  expect(await rows.count()).toBe(12);
  await tab.getByRole('button', { name: 'Show 2 more' }).click();
  expect(await rows.count()).toBe(14);
  await tab.getByText('Data 130').click();
  // Where a credential was found is open from the start.
  expect(await tab.locator('.left-out details[open] li').allTextContents()).toEqual([
    'server/pay.py:12 · stripe',
    'data/orders.jsonl',
    'package.json',
    'and 128 more',
  ]);

  const asked = () => view.waitForPost('readExamples');
  const all = { text: '', offset: 0, limit: 5 };
  expect(await asked()).toEqual({ type: 'readExamples', query: all });
  await view.send({ type: 'examples', page: examplePage });
  await view.settle();
  expect(await tab.locator('.example-bar [role=status]').textContent()).toBe('1–2 of 960');
  expect(await tab.locator('.sample header').nth(1).textContent()).toContain('held out');
  await tab.getByRole('button', { name: 'Next page' }).click();
  expect(await asked()).toEqual({ type: 'readExamples', query: { ...all, offset: 5 } });
  await tab.getByRole('searchbox').fill('refund');
  await expect.poll(async () => (await asked()).query).toEqual({ ...all, text: 'refund' });
  // The page that was requested before arrives late: it does not belong to the search.
  await view.send({ type: 'examples', page: { ...examplePage, offset: 5 } });
  await view.send({ type: 'examples', page: { text: 'refund', offset: 0, total: 0, examples: [] } });
  await view.settle();
  expect(await tab.locator('.example-bar [role=status]').textContent()).toBe('No example contains this.');
  expect(await tab.locator('.sampled').count()).toBe(0);
});

test('samples stand beside the base’s at any step that was evaluated, and the newest are followed', async () => {
  const remembered = {
    tab: 'samples',
    advancedOpen: false,
    overlaid: [],
    board: { smoothing: 0, logScale: false, asTable: false, range: null },
  };
  view = await View.open(browser, 'fineTune', fineTuneState, { remembered });
  const tab = view.page.locator('.samples-tab');
  await tab.getByText('come with the evaluations').waitFor();
  const until = (step: number) => samples.filter((sample) => sample.step <= step);
  await view.send(samplesMessage(live.runId, until(0)));
  await tab.getByText('Not answered yet.').first().waitFor();
  await view.send(samplesMessage(live.runId, until(80).slice(2), 2));
  const cards = tab.locator('.sampled');
  const adapters = () => cards.locator('.sampled-adapter').allInnerTexts();
  await expect.poll(adapters).toEqual(['After step 80\nRefunds arrive within five days.', 'After step 40\nPress Ctrl+P']);
  await expect.poll(() => cards.nth(0).innerText()).toContain('A refund is a type of payment');
  await view.send(samplesMessage(live.runId, samples.slice(5), 5));
  await expect
    .poll(adapters)
    .toEqual(['After step 120\nRefunds arrive within five working days.', 'After step 120\nCtrl+Shift+P']);
  await tab.getByLabel('As trained up to step').fill('0');
  await expect.poll(adapters).toEqual(['After step 40\nRefunds take five days.', 'After step 40\nPress Ctrl+P']);
  const another = { ...samples[0]!, step: 160, text: 'another' };
  await view.send(samplesMessage(live.runId, [another], samples.length));
  await expect.poll(() => tab.locator('output').innerText()).toBe('40 of 160');
  // A resumed run starts at its checkpoint.
  await view.send(samplesMessage(live.runId, until(40)));
  await expect.poll(() => tab.locator('output').innerText()).toBe('40 of 40');
});

test('where a GPU trains, its share of the memory is told beside the computer’s', async () => {
  const { check, preflight } = fineTuneState;
  if (!check?.ok || preflight.kind !== 'ready') throw new Error('the scene has both');
  const estimate = { ...check.estimate, deviceMemoryBytes: 1_200_000_000, peakMemoryBytes: 300_000_000 };
  const report = {
    ...preflight.report,
    estimate: { ...preflight.report.estimate, expectedDeviceBytes: 1_200_000_000, expectedMemoryBytes: 290_000_000 },
  };
  view = await View.open(browser, 'fineTune', {
    ...fineTuneState,
    check: { ...check, estimate },
    preflight: { ...preflight, report },
  });
  const figure = (list: string) => view.page.locator(`${list} > div`, { hasText: 'Memory' }).locator('dd').textContent();
  expect(await figure('.estimate')).toMatch(/^about 1\.\d+ GB on the GPU, \d+ MB of [\d.]+ GB free on this computer$/);
  expect(await figure('.preflight .figures')).toMatch(/^about 1\.\d+ GB on the GPU, \d+ MB on this computer$/);
});

test('the comparison lists what was set differently', async () => {
  const compared = [run('rank-8', 'finished', 100, 100), run('rank-16', 'finished', 100, 100)];
  view = await View.open(browser, 'compare', {
    runs: { runs: compared, throughSeq: 0 },
    runIds: compared.map(({ runId }) => runId),
  });
  await view.send(
    ...compared.map(({ runId }) => metricsMessage(runId, metrics(100))),
    ...compared.map(({ runId }, index) => ({
      type: 'runConfig',
      runId,
      config: config({ ...configJson, lora: { r: [8, 16][index] } }),
    })),
  );
  await view.settle();
  const titles = view.page.locator('.comparison thead th');
  expect((await titles.allTextContents()).at(-1)).toBe('Rank');
  expect(await view.page.locator('.comparison tbody td:last-child').allTextContents()).toEqual(['8', '16']);
  await view.page.getByRole('checkbox', { name: 'All settings' }).check();
  await view.settle();
  expect(await titles.count()).toBeGreaterThan(25);
  // The page itself keeps its width: the table scrolls in its own frame.
  expect(await view.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
});

test('the completion report filters its cases, marks what differs, jumps to the file, and is asked for again after a reload', async () => {
  view = await View.open(browser, 'completionReport', { runId: '/runs/a', report });
  const { page } = view;
  const choose = (label: string, option: string) =>
    page.locator('label', { hasText: label }).locator('select').selectOption(option);
  await choose('Asked for', 'Call arguments');
  await choose('Outcome', 'Neither is exact');
  const found = report.cases.filter(({ kind, suggestions }) => kind === 'arguments' && suggestions[2]!.scores.exactMatch === 0);
  expect(await page.locator('.case').count()).toBe(found.length);
  await page.locator('.case summary').first().click();
  const [base, control] = [page.locator('.case-suggestions section').nth(0), page.locator('.case-suggestions section').nth(1)];
  // A case is drawn once it has been opened, and a browser tells of that a little later.
  await control.locator('ins').waitFor();
  expect([await control.locator('del').allTextContents(), await control.locator('ins').allTextContents()]).toEqual([
    ['path'],
    ['file'],
  ]);
  expect(await base.locator('pre').textContent()).toContain('return;');
  await page.getByRole('button', { name: 'Show in File' }).click();
  const { path, line, column } = found[0]!;
  expect(await view.waitForPost('openPlace')).toEqual({ type: 'openPlace', path, line, column });

  const remembered = await view.remembered();
  await view.close();
  view = await View.open(browser, 'completionReport', { runId: null, report: null }, { remembered });
  expect(await view.waitForPost('openReport')).toEqual({ type: 'openReport', runId: '/runs/a' });
  await view.hydrate({ runId: '/runs/a', report });
  expect(await view.page.locator('.case').count()).toBe(found.length);
});

const noRuns = { runs: [], throughSeq: 0 };

test('a sweep is planned: values are checked as they are typed, and what they make is counted, started and remembered', async () => {
  view = await View.open(browser, 'sweep', { runs: noRuns, shown: { kind: 'plan', plan: sweepPlan } });
  const { page } = view;
  const size = page.locator('.plan-size');
  const start = page.getByRole('button', { name: 'Start Sweep' });
  // 912 sequences in batches of 4 × 4, three times, at 6.1 s a step.
  expect(await size.textContent()).toBe('5 runsabout 1 h 27 min855 steps in all230,400 to 3,686,400 trainable parameters');
  const ranks = page.getByRole('textbox', { name: 'Values to try: Rank' });
  for (const [typed, problem] of [
    ['2, 0', '0: Must be at least 1.'],
    ['2, 4.5', '4.5: Must be a whole number.'],
    ['2, four', 'four: Must be a whole number.'],
    ['2, 2', 'Lists something twice.'],
    ['', 'Type the values to try, separated by commas.'],
  ] as const) {
    await ranks.fill(typed);
    expect(await page.locator('.varied-note').textContent()).toBe(problem);
    expect(await start.isDisabled()).toBe(true);
  }
  await ranks.fill('8');
  expect(await size.textContent()).toBe('A sweep compares at least two runs: type more values.');
  await ranks.fill('2, 8');
  await page.getByRole('button', { name: 'Vary Another Setting' }).click();
  await page.getByRole('combobox', { name: 'Setting to vary' }).nth(1).selectOption('Target modules');
  await page.getByRole('textbox', { name: 'Values to try: Target modules' }).fill('q_proj; q_proj, v_proj');
  expect(await size.locator('.plan-runs').textContent()).toBe('4 runs (2 Rank × 2 Target modules)');
  await page.getByRole('checkbox', { name: 'Stop hopeless runs early' }).check();
  // All four to step 57, and the best on to its end: half of the steps.
  expect(await size.textContent()).toContain('about 35 min342 steps in all');
  await start.click();
  const asked = {
    name: 'rank × target modules · answers.jsonl',
    parameters: { 'lora.r': [2, 8], 'lora.target_modules': [['q_proj'], ['q_proj', 'v_proj']] },
    halving: { eta: 3 },
  };
  expect(await view.waitForPost('start')).toEqual({ type: 'start', ...asked });
  expect(await start.isDisabled()).toBe(true);
  await view.send({ type: 'startFailed', message: 'The data is gone.' });
  expect(await page.getByRole('alert').textContent()).toBe('The data is gone.');
  const remembered = await view.remembered();
  await view.close();
  view = await View.open(browser, 'sweep', { runs: noRuns, shown: { kind: 'nothing' } }, { remembered });
  expect(await view.waitForPost('reopenPlan')).toEqual({ type: 'reopenPlan', path: sweepPlan.path });
  await view.hydrate({ runs: noRuns, shown: { kind: 'plan', plan: sweepPlan } });
  expect(await view.page.getByRole('textbox', { name: 'Values to try: Rank' }).inputValue()).toBe('2, 8');
});

test('a sweep is followed: what to take, the plot and the sorted table change as it goes on, and survive a reload', async () => {
  const runsOf = { runs: rankSweep.rows.map(runOfRow), throughSeq: 1 };
  view = await View.open(browser, 'sweep', { runs: runsOf, shown: { kind: 'report', report: begunSweep } });
  const { page } = view;
  const title = page.locator('h1');
  const plot = '.sweep-plot-area canvas';
  const ranks = () => page.locator('.sweep-table tbody th').allTextContents();
  expect(await title.textContent()).toBe('Nothing to recommend yet: no run is at its end.');
  expect(await page.locator(plot).isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Stop Sweep' }).click();
  await view.waitForPost('stopSweep');

  await page.getByRole('button', { name: 'Trainable parameters' }).focus();
  await page.keyboard.press('Enter');
  await view.send({ type: 'report', report: rankSweep });
  await view.settle();
  expect(await title.textContent()).toBe('Take rank 8: it is within noise of rank 64, at an eighth of the parameters.');
  expect(await ranks()).toEqual(['2', '4', 'Recommended 8', '16', '32', '64']);
  // What has the focus keeps it, and so the order is turned with the same key.
  await page.keyboard.press('Enter');
  await view.settle();
  expect(await ranks()).toEqual(['64', '32', '16', 'Recommended 8', '4', '2']);
  expect(await page.locator('.sweep-table tbody tr.taken').textContent()).toContain('+0.0015 ± 0.0031');
  expect(await view.pixels(plot, blue)).toBeGreaterThan(500);
  expect(await page.locator(plot).getAttribute('aria-label')).toContain('rank 8: 1.3958 ± 0.0031');
  await page.getByRole('combobox', { name: 'Horizontal axis' }).selectOption('Memory');
  await view.settle();
  expect(await page.locator(plot).getAttribute('aria-label')).toMatch(/^Held-out loss by Memory\./);
  await page.getByRole('button', { name: 'Open in Panel: rank 8' }).click();
  expect(await view.waitForPost('runCommand')).toMatchObject({ runId: rankSweep.rows[2]!.runId, command: 'open' });
  const followed = await view.waitForPost('follow');
  expect(followed.runIds).toEqual(rankSweep.rows.map(({ runId }) => runId));

  const remembered = await view.remembered();
  await view.close();
  view = await View.open(browser, 'sweep', { runs: runsOf, shown: { kind: 'nothing' } }, { remembered });
  expect(await view.waitForPost('reopenSweep')).toEqual({ type: 'reopenSweep', sweepId: rankSweep.sweepId });
  await view.hydrate({ runs: runsOf, shown: { kind: 'report', report: rankSweep } });
  expect(await view.page.locator('.sweep-table th[aria-sort]').textContent()).toBe('Trainable parameters');
  expect(await view.page.getByRole('combobox', { name: 'Horizontal axis' }).inputValue()).toBe('memory');
});

test('of a halved sweep, only what was not left is resumed, and an adapter is used once there is one', async () => {
  const ended = {
    ...halvedSweep,
    isComplete: true,
    rows: halvedSweep.rows.filter(({ status }) => !['running', 'queued'].includes(status)),
  };
  const runsOf = { runs: ended.rows.map(runOfRow), throughSeq: 1 };
  view = await View.open(browser, 'sweep', { runs: runsOf, shown: { kind: 'report', report: ended } });
  const { page } = view;
  expect(await page.locator('.sweep-progress-text').textContent()).toBe(
    '1 of 10 runs done · 8 left early · 1 failedResume SweepStop Sweep',
  );
  expect(await page.getByRole('button', { name: 'Stop Sweep' }).isVisible()).toBe(false);
  // It did not learn from code.
  expect(await page.getByRole('button', { name: 'Evaluate Inline Completion' }).isVisible()).toBe(false);
  await page.getByRole('button', { name: 'Resume Sweep' }).click();
  await view.waitForPost('resumeSweep');
  const use = (name: string) => page.getByRole('button', { name: `Use for Inline Completion: ${name}` });
  expect(await use('rank 4, learning rate 1e-4, target modules q+v').isDisabled()).toBe(true);
  await use('rank 8, learning rate 0.001, target modules q+k+v+o').click();
  expect(await view.waitForPost('runCommand')).toMatchObject({ runId: ended.rows[7]!.runId, command: 'completion' });
});

test('a sweep on code can be evaluated, and then its scores are plotted and sorted like its losses', async () => {
  const unmeasured = { ...uncertainSweep, rows: uncertainSweep.rows.map((row) => ({ ...row, completion: null })) };
  const runsOf = { runs: uncertainSweep.rows.map(runOfRow), throughSeq: 1 };
  view = await View.open(browser, 'sweep', { runs: runsOf, shown: { kind: 'report', report: unmeasured } });
  const { page } = view;
  const measure = page.getByRole('combobox', { name: 'What is plotted' });
  expect([await measure.isVisible(), await page.getByRole('button', { name: 'Show Completions' }).isVisible()]).toEqual([
    false,
    false,
  ]);
  await page.getByRole('button', { name: 'Evaluate Inline Completion' }).click();
  await view.waitForPost('evaluateSweep');

  await view.send({ type: 'report', report: uncertainSweep });
  await measure.selectOption('Exact match');
  await view.settle();
  const plot = page.locator('.sweep-plot-area canvas');
  expect(await plot.getAttribute('aria-label')).toBe('Exact match by Rank. rank 2: 31.0%; rank 4: 35.0%; rank 8: 39.0%.');
  await page.getByRole('columnheader', { name: 'Bits per byte' }).getByRole('button').click();
  await view.settle();
  expect(await page.locator('.sweep-table tbody tr').last().textContent()).toContain('0.390');
  await page.getByRole('button', { name: 'Show Completions' }).click();
  await view.waitForPost('showCompletions');
});

test('statistics follow what is counted, and a comparison tells who was preferred, but not before it is over', async () => {
  view = await View.open(browser, 'completionStatistics', { ...statistics, comparisons: [] });
  const { page } = view;
  const [base, tuned] = statistics.writers;
  const tunedRow = page.locator('tbody tr', { hasText: tuned!.name });
  expect(await tunedRow.locator('td').allTextContents()).toEqual(['1,284', '34%', '1,724', '96%', '89%']);
  const running = { names: [base!.name, tuned!.name], shown: 3, accepted: 1 };
  await view.send({ type: 'statistics', statistics: { ...statistics, writers: [], comparisons: [], running } });
  await page.getByText('So far 3 suggestions of both were shown, and 1 of them accepted.').waitFor();
  expect([await page.locator('tbody tr').count(), await page.locator('canvas').count()]).toEqual([0, 0]);
  await page.getByRole('button', { name: 'Stop and Show' }).click();
  await view.waitForPost('stopComparison');

  await view.send({ type: 'statistics', statistics });
  await expect
    .poll(() => page.locator('.verdict').allTextContents())
    .toEqual([
      `You preferred ${tuned!.name}: with a probability of 99.9%, it is accepted more often.`,
      'Not decided: with a probability of 60.5%, support-answers is accepted more often.',
    ]);
  expect(await page.locator('canvas').first().getAttribute('aria-label')).toContain(`${tuned!.name} (29 / 66)`);
  await page.getByRole('button', { name: `Use ${tuned!.name}` }).click();
  const { model, adapter } = tuned!;
  expect(await view.waitForPost('useWriter')).toEqual({ type: 'useWriter', model, adapter });
  await page.getByRole('button', { name: 'Go On Comparing' }).click();
  const { startedAt } = statistics.comparisons[1]!;
  expect(await view.waitForPost('goOnComparing')).toEqual({ type: 'goOnComparing', startedAt });
  await page.getByRole('checkbox', { name: 'Count suggestions' }).uncheck();
  expect(await view.waitForPost('setCounting')).toEqual({ type: 'setCounting', counting: false });
  await page.getByRole('button', { name: 'Wipe…' }).click();
  await view.waitForPost('wipeStatistics');
  await view.send({ type: 'statistics', statistics: { ...statistics, counting: false, writers: [], comparisons: [] } });
  await page.getByText('Nothing was counted, because counting is off.').waitFor();
  expect(await page.getByRole('button', { name: 'Wipe…' }).isVisible()).toBe(false);
});

test('a leak report marks what was written word for word, jumps to it, and stays after a reload', async () => {
  view = await View.open(browser, 'leakReport', { shown: { name: 'by-heart', report: leakReport } });
  const { page } = view;
  expect(await page.locator('h1').textContent()).toMatch(/^3 of 200 prefixes are continued word for word, for 50 tokens/);
  const [leak] = leakReport.leaks;
  await page.locator('.case summary').first().click();
  await page.locator('.case mark').waitFor();
  expect(await page.locator('.case mark').textContent()).toBe(leak!.text);
  expect(await page.locator('.case pre').textContent()).toBe(leak!.prefix + leak!.text);
  await page.getByRole('button', { name: 'Show in File' }).click();
  expect(await view.waitForPost('openOrigin')).toEqual({ type: 'openOrigin', origin: leak!.origin });
  await view.hydrate({ shown: null });
  expect(await page.locator('.case').count()).toBe(leakReport.leaks.length);
});

test('of a thousand runs to choose from, only the one that changed is drawn anew', async () => {
  const runs = Array.from({ length: 1000 }, (_, index) => run(`run-${index}`, 'finished', 60, 60));
  view = await View.open(browser, 'compare', { runs: { runs, throughSeq: 0 }, runIds: [] });
  const { page } = view;
  const items = page.locator('.run-chooser li');
  expect(await items.count()).toBe(1000);
  await items.evaluateAll((all) => all.forEach((item) => item.setAttribute('data-drawn', 'before')));
  const renamed = { ...runs[500]!, name: 'renamed' };
  await view.send({ type: 'runEvent', event: { kind: 'changed', seq: 1, run: renamed } });
  await page.locator('.run-chooser .run-name', { hasText: 'renamed' }).waitFor();
  expect(await items.count()).toBe(1000);
  expect(await page.locator('.run-chooser li[data-drawn=before]').count()).toBe(999);
});

test('strings of the host replace the English ones', async () => {
  view = await View.open(
    browser,
    'monitor',
    { runs: { runs: [], throughSeq: 0 }, trusted: true },
    { strings: { 'monitor.fineTune': '微调…' } },
  );
  expect(await view.page.getByRole('button', { name: '微调…' }).isVisible()).toBe(true);
});

test('a weight is chosen in the heat map with the keyboard, and what was asked about it appears', async () => {
  view = await View.open(browser, 'spectrum', { shown: shownSpectrum });
  const { page } = view;
  await page.getByRole('gridcell', { name: /^q_proj, layer 0:/ }).focus();
  for (const key of ['ArrowRight', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'ArrowUp', 'ArrowDown']) await page.keyboard.press(key);
  await expect.poll(() => page.locator('.matrix-details h2').textContent()).toBe('k_proj, layer 2');
  await page.getByLabel('Measure').selectOption('change');
  expect(await page.getByRole('gridcell', { selected: true }).getAttribute('aria-label')).toMatch(/^k_proj, layer 2: [\d.]+%$/);
  await page.getByRole('button', { name: 'Look for Intruders' }).click();
  const matrix = { layer: 2, linear: 'k_proj' };
  expect(await view.waitForPost('findIntruders')).toEqual({ type: 'findIntruders', matrix });
  await view.send({ type: 'busy', busy: true });
  expect(await page.getByRole('button', { name: 'Measure Held-Out Loss' }).isDisabled()).toBe(true);
  await view.send({ type: 'intruders', report: intrudersOf(2, 'k_proj') }, { type: 'busy', busy: false });
  expect(await page.locator('.matrix-details').textContent()).toContain('2 of the 10 leading directions are intruders');
  await view.send({ type: 'losses', report: rankLosses });
  expect(await page.locator('.ladder tbody tr').nth(1).textContent()).toBe('897%1.395+0.0007 ± 0.0011');
  expect(await view.remembered()).toMatchObject({ adapter: shownSpectrum.spectrum.adapter, measure: 'change', ...matrix });
  await view.hydrate({ shown: comparedSpectrum });
  expect(await view.remembered()).toMatchObject({ other: comparedSpectrum.spectrum.other, measure: 'change', ...matrix });
  await view.hydrate({ shown: null });
  await page.getByRole('button', { name: 'Decompose Again' }).click();
  const { adapter, other } = comparedSpectrum.spectrum;
  expect(await view.waitForPost('reopen')).toEqual({ type: 'reopen', adapter, other });
});
