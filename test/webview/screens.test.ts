/** @file Each screen in each theme: drawn, free of serious accessibility faults, and saved as a picture in build/screenshots. */
import { mkdirSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  codeOverview,
  examplePage,
  config,
  configJson,
  fineTuneState,
  metrics,
  metricsMessage,
  moreAdapters,
  batch,
  playgroundState,
  queue,
  run,
  report,
  reportWithRetrieval,
  runConfigMessage,
  runs,
  leakReport,
  samples,
  statistics,
  samplesMessage,
  comparedSpectrum,
  shownSpectrum,
  similarityGrids,
  begunSweep,
  halvedSweep,
  rankSweep,
  runOfRow,
  sweepPlan,
  uncertainSweep,
} from './harness/scenes.js';
import { themes, type ThemeName } from './harness/themes.js';
import type { SweepReport } from '../../src/protocol/sweep.js';
import { launchBrowser, View, type ViewOptions } from './harness/view.js';

const folder = 'build/screenshots';
let browser: Browser;

beforeAll(async () => {
  mkdirSync(folder, { recursive: true });
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const endedMetrics = [{ step: 0, eval_loss: 2.61 }, ...metrics(171)];
const history = ['How do I reset my password?', 'Explain how refunds work, in one sentence.', 'def high_stock('];
const board = { smoothing: 0.6, logScale: false, asTable: false, range: null };

async function sweepReport(shown: SweepReport, options: ViewOptions): Promise<View> {
  const runs = { runs: shown.rows.map(runOfRow), throughSeq: 1 };
  const view = await View.open(browser, 'sweep', { runs, shown: { kind: 'report', report: shown } }, options);
  await view.send(
    ...shown.rows
      .filter(({ step }) => step > 0)
      .map(({ runId, step }, index) => metricsMessage(runId, metrics(step, { floor: 1.1 + index / 20, seed: 3 + index }))),
  );
  return view;
}

const screens: Readonly<Record<string, (theme: ThemeName) => Promise<View>>> = {
  'fine-tune': async (theme) => {
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme });
    await view.send(metricsMessage(runs[0]!.runId, metrics(120)), runConfigMessage(runs[0]!.runId));
    return view;
  },
  'fine-tune-ended': async (theme) => {
    const view = await View.open(browser, 'fineTune', { ...fineTuneState, runId: runs[1]!.runId }, { theme });
    await view.send(metricsMessage(runs[1]!.runId, endedMetrics), runConfigMessage(runs[1]!.runId));
    return view;
  },
  'fine-tune-ended-narrow': async (theme) => {
    const remembered = { tab: 'plots', advancedOpen: false, overlaid: [runs[0]!.runId, runs[2]!.runId], board };
    const view = await View.open(
      browser,
      'fineTune',
      { ...fineTuneState, runId: runs[1]!.runId },
      { theme, remembered, width: 500, height: 1500 },
    );
    await view.send(
      metricsMessage(runs[1]!.runId, endedMetrics),
      metricsMessage(runs[0]!.runId, metrics(120, { seed: 5 })),
      metricsMessage(runs[2]!.runId, metrics(80, { seed: 8 })),
      runConfigMessage(runs[1]!.runId),
    );
    return view;
  },
  'fine-tune-overlaid': async (theme) => {
    const remembered = { tab: 'plots', advancedOpen: true, overlaid: runs.slice(1).map(({ runId }) => runId), board };
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme, remembered });
    await view.send(
      metricsMessage(runs[0]!.runId, metrics(120)),
      metricsMessage(runs[1]!.runId, metrics(171, { floor: 1.4, seed: 7 })),
      metricsMessage(runs[2]!.runId, metrics(80, { start: 3, floor: 0.9, seed: 9 })),
    );
    return view;
  },
  'fine-tune-samples': async (theme) => {
    const remembered = { tab: 'samples', advancedOpen: false, overlaid: [], board };
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme, remembered });
    await view.send(samplesMessage(runs[0]!.runId, samples), runConfigMessage(runs[0]!.runId));
    return view;
  },
  'fine-tune-samples-narrow': async (theme) => {
    const remembered = { tab: 'samples', advancedOpen: false, overlaid: [], board };
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme, remembered, width: 500, height: 900 });
    await view.send(samplesMessage(runs[0]!.runId, samples), runConfigMessage(runs[0]!.runId));
    return view;
  },
  'fine-tune-table': async (theme) => {
    const remembered = { tab: 'plots', advancedOpen: false, overlaid: [], board: { ...board, asTable: true } };
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme, remembered });
    await view.send(metricsMessage(runs[0]!.runId, metrics(120)));
    return view;
  },
  'fine-tune-empty': async (theme) =>
    View.open(browser, 'fineTune', { ...fineTuneState, runId: null, preflight: { kind: 'none' }, check: null }, { theme }),
  'fine-tune-invalid': async (theme) => {
    const broken = { ...configJson, lora: { r: 0, alpha: 16, rank: 3 } };
    const problems = [
      { path: ['lora', 'rank'], message: 'lora.rank is not a known setting; did you mean lora.r?' },
      { path: ['data', 'path'], message: 'data/answers.jsonl does not exist; choose a data file.' },
    ];
    const document = { kind: 'parsed', config: broken, throughEdit: 0, name: 'broken.run.json' } as const;
    return View.open(browser, 'fineTune', { ...fineTuneState, runId: null, document, check: { ok: false, problems } }, { theme });
  },
  'fine-tune-narrow': async (theme) => {
    const view = await View.open(browser, 'fineTune', fineTuneState, { theme, width: 500, height: 760 });
    await view.send(metricsMessage(runs[0]!.runId, metrics(120)), runConfigMessage(runs[0]!.runId));
    return view;
  },
  'fine-tune-narrow-settings': async (theme) =>
    View.open(browser, 'fineTune', { ...fineTuneState, runId: null }, { theme, width: 500, height: 760 }),
  'fine-tune-first': async (theme) =>
    View.open(
      browser,
      'fineTune',
      {
        ...fineTuneState,
        runId: null,
        preflight: { kind: 'none' },
        data: { kind: 'none' },
        check: null,
        models: [],
        document: { kind: 'parsed', config: {}, throughEdit: 0, name: 'run.json' },
      },
      { theme },
    ),
  'fine-tune-fetching': async (theme) =>
    View.open(
      browser,
      'fineTune',
      {
        ...fineTuneState,
        runId: null,
        check: null,
        models: [],
        document: { kind: 'parsed', config: {}, throughEdit: 0, name: 'run.json' },
        fetching: { kind: 'fetching', done: 41_000_000, total: 98_000_000 },
      },
      { theme, width: 500, height: 760 },
    ),
  'fine-tune-broken': async (theme) =>
    View.open(
      browser,
      'fineTune',
      {
        ...fineTuneState,
        runId: null,
        document: {
          kind: 'broken',
          message: 'support-answers.run.json is not valid JSON at present.',
          name: 'support-answers.run.json',
        },
      },
      { theme },
    ),
  preflight: async (theme) =>
    View.open(browser, 'fineTune', fineTuneState, {
      theme,
      remembered: { tab: 'preflight', advancedOpen: false, overlaid: [], board },
    }),
  data: async (theme) => {
    const view = await View.open(
      browser,
      'fineTune',
      { ...fineTuneState, runId: null, data: { kind: 'ready', overview: codeOverview } },
      { theme, height: 1200, remembered: { tab: 'data', advancedOpen: false, overlaid: [], board } },
    );
    await view.send({ type: 'examples', page: examplePage });
    return view;
  },
  monitor: async (theme) => {
    const view = await View.open(
      browser,
      'monitor',
      { runs: { runs, throughSeq: 1 }, trusted: true },
      { theme, width: 320, height: 460 },
    );
    await view.send(metricsMessage(runs[0]!.runId, metrics(120)));
    return view;
  },
  'monitor-queue': async (theme) => {
    const view = await View.open(
      browser,
      'monitor',
      { runs: { runs: queue, throughSeq: 1 }, trusted: true },
      { theme, width: 320, height: 560 },
    );
    await view.send(metricsMessage(queue[0]!.runId, metrics(120)));
    return view;
  },
  'monitor-waiting': async (theme) =>
    View.open(
      browser,
      'monitor',
      { runs: { runs: queue.slice(1), throughSeq: 1 }, trusted: true },
      { theme, width: 240, height: 560 },
    ),
  'fine-tune-queued': async (theme) => {
    const state = { ...fineTuneState, runs: { runs: queue, throughSeq: 1 }, runId: queue[2]!.runId };
    const view = await View.open(browser, 'fineTune', state, { theme });
    await view.send(runConfigMessage(queue[2]!.runId));
    return view;
  },
  'fine-tune-queued-narrow': async (theme) => {
    const remembered = { tab: 'plots', advancedOpen: false, overlaid: [], board };
    const state = { ...fineTuneState, runs: { runs: queue, throughSeq: 1 }, runId: queue[1]!.runId };
    const view = await View.open(browser, 'fineTune', state, { theme, remembered, width: 400, height: 900 });
    await view.send(metricsMessage(queue[1]!.runId, metrics(40)), runConfigMessage(queue[1]!.runId));
    return view;
  },
  'monitor-failed': async (theme) => {
    const failed = run('big-batch', 'failed', 12, 171);
    const message = 'Out of memory: 3.1 GB were needed, 2.0 GB are free. Lower train.batch_size or data.max_seq_length.';
    const view = await View.open(
      browser,
      'monitor',
      { runs: { runs: [{ ...failed, state: { ...failed.state, message } }], throughSeq: 1 }, trusted: true },
      { theme, width: 320, height: 560 },
    );
    await view.send(metricsMessage(failed.runId, metrics(12)));
    return view;
  },
  'monitor-empty': async (theme) =>
    View.open(browser, 'monitor', { runs: { runs: [], throughSeq: 0 }, trusted: true }, { theme, width: 320, height: 240 }),
  'monitor-untrusted': async (theme) =>
    View.open(browser, 'monitor', { runs: { runs: [], throughSeq: 0 }, trusted: false }, { theme, width: 320, height: 240 }),
  playground: async (theme) => {
    const view = await View.open(browser, 'playground', { ...playgroundState, history }, { theme, width: 1200 });
    await view.page.getByRole('button', { name: 'Run', exact: true }).click();
    await view.send(
      {
        type: 'token',
        requestId: 1,
        side: 'left',
        text: 'To reset your password, you need to contact the administrator of the site where the account was made.',
      },
      {
        type: 'generated',
        requestId: 1,
        side: 'left',
        summary: { tokens: 21, tokensPerSecond: 38.2, firstTokenMs: 180, reason: 'end', template: 'chat' },
      },
      {
        type: 'token',
        requestId: 1,
        side: 'right',
        text: 'Open the account page, choose “Security”, and press “Reset password”. A link',
      },
    );
    return view;
  },
  'playground-narrow': async (theme) => {
    const view = await View.open(
      browser,
      'playground',
      { ...playgroundState, adapters: moreAdapters, history },
      { theme, width: 500, height: 1100 },
    );
    await view.page.getByText('Strength and sampling').click();
    await view.page.getByText('Earlier prompts').click();
    return view;
  },
  'playground-alone': async (theme) =>
    View.open(browser, 'playground', { ...playgroundState, adapters: [], prefill: null }, { theme, width: 900, height: 560 }),
  'playground-batch': async (theme) => View.open(browser, 'playground', { ...playgroundState, batch }, { theme, width: 1200 }),
  'playground-batch-narrow': async (theme) =>
    View.open(browser, 'playground', { ...playgroundState, batch: { ...batch, running: false } }, { theme, width: 500 }),
  spectrum: async (theme) => View.open(browser, 'spectrum', { shown: shownSpectrum }, { theme, width: 1200, height: 900 }),
  'spectrum-compared': async (theme) => {
    const matrix = { layer: 12, linear: 'o_proj' };
    const remembered = { adapter: null, other: null, measure: 'output', ...matrix };
    const view = await View.open(browser, 'spectrum', { shown: comparedSpectrum }, { theme, remembered, height: 1300 });
    await view.send({ type: 'similarity', matrix, grids: similarityGrids });
    return view;
  },
  'spectrum-narrow': async (theme) =>
    View.open(browser, 'spectrum', { shown: comparedSpectrum }, { theme, width: 500, height: 1500 }),
  'spectrum-restored': async (theme) => {
    const remembered = { adapter: '/a', other: null, measure: '', layer: 0, linear: 'q_proj' };
    return View.open(browser, 'spectrum', { shown: null }, { theme, remembered, height: 300 });
  },
  compare: async (theme) => {
    const view = await View.open(
      browser,
      'compare',
      { runs: { runs, throughSeq: 1 }, runIds: runs.map(({ runId }) => runId) },
      { theme, height: 1100 },
    );
    await view.send(
      ...runs.map(({ runId }, index) =>
        metricsMessage(runId, metrics([120, 171, 80][index]!, { floor: 1 + index / 5, seed: 3 + index })),
      ),
      ...runs.map(({ runId }, index) => ({
        type: 'runConfig',
        runId,
        config: config({
          ...configJson,
          lora: { r: [16, 8, 64][index], alpha: 32 },
          train: { learning_rate: [5e-4, 3e-4, 2e-4][index] },
        }),
      })),
    );
    return view;
  },
  'sweep-plan': async (theme) => {
    const runs = { runs: [], throughSeq: 0 };
    return View.open(browser, 'sweep', { runs, shown: { kind: 'plan', plan: sweepPlan } }, { theme, width: 900, height: 760 });
  },
  'sweep-plan-narrow': async (theme) => {
    const varied = [
      { setting: 'lora.r', values: '2, 4, 8, 16, 32' },
      { setting: 'train.learning_rate', values: '1e-4, 3e-4, 7' },
      { setting: 'lora.target_modules', values: 'q_proj, v_proj; q_proj, k_proj, v_proj, o_proj' },
    ];
    const plan = { varied, halving: true, name: '' };
    const remembered = {
      sweepId: null,
      path: sweepPlan.path,
      plan,
      report: { sort: { column: 'loss', descending: false }, axis: '', drawn: null, board },
    };
    const runs = { runs: [], throughSeq: 0 };
    return View.open(
      browser,
      'sweep',
      { runs, shown: { kind: 'plan', plan: sweepPlan } },
      { theme, remembered, width: 500, height: 900 },
    );
  },
  'sweep-begun': async (theme) => sweepReport(begunSweep, { theme, width: 1100, height: 900 }),
  sweep: async (theme) => sweepReport(rankSweep, { theme, width: 1200, height: 1800 }),
  'sweep-halved': async (theme) => sweepReport(halvedSweep, { theme, width: 1200, height: 1300 }),
  'sweep-narrow': async (theme) => sweepReport(uncertainSweep, { theme, width: 500, height: 1500 }),
  'completion-report': async (theme) => {
    const view = await View.open(
      browser,
      'completionReport',
      { runId: '/runs/a', report: reportWithRetrieval },
      { theme, height: 1900 },
    );
    await view.page.locator('.case summary').nth(1).click();
    return view;
  },
  'completion-report-narrow': async (theme) => {
    const leaked = [{ path: '/workspace/src/copied.ts', trainedOn: '/workspace/src/original.ts', share: 0.83 }];
    const few = { ...report, leaked, cases: report.cases.slice(0, 60), comparisons: report.comparisons.slice(1) };
    const view = await View.open(
      browser,
      'completionReport',
      { runId: '/runs/a', report: few },
      { theme, width: 500, height: 2400 },
    );
    await view.page.locator('.case summary').nth(2).click();
    return view;
  },
  'completion-statistics': async (theme) => View.open(browser, 'completionStatistics', statistics, { theme, height: 900 }),
  'completion-statistics-narrow': async (theme) =>
    View.open(browser, 'completionStatistics', statistics, { theme, width: 420, height: 1300 }),
  'completion-statistics-blind': async (theme) => {
    const names = statistics.writers.slice(0, 2).map(({ name }) => name);
    const running = { names, shown: 37, accepted: 14 };
    const comparisons = statistics.comparisons.slice(1);
    return View.open(
      browser,
      'completionStatistics',
      { ...statistics, writers: [], comparisons, running },
      { theme, height: 560 },
    );
  },
  'completion-statistics-empty': async (theme) =>
    View.open(
      browser,
      'completionStatistics',
      { ...statistics, writers: [], comparisons: [] },
      { theme, width: 700, height: 300 },
    ),
  'leak-report': async (theme) => {
    const shown = { name: 'by-heart · Qwen2.5-Coder-0.5B · r16', report: leakReport };
    const view = await View.open(browser, 'leakReport', { shown }, { theme, height: 720 });
    await view.page.locator('.case summary').first().click();
    return view;
  },
  'leak-report-narrow': async (theme) => {
    const shown = { name: 'by-heart · Qwen2.5-Coder-0.5B · r16', report: leakReport };
    const view = await View.open(browser, 'leakReport', { shown }, { theme, width: 420, height: 1000 });
    await view.page.locator('.case summary').nth(1).click();
    return view;
  },
  'leak-report-clean': async (theme) => {
    const clean = { ...leakReport, reproduced: 0, byBaseAlso: 0, leaks: [], rate: 0, interval: [0, 0.0188] } as const;
    return View.open(
      browser,
      'leakReport',
      { shown: { name: 'support-answers', report: clean } },
      { theme, width: 900, height: 320 },
    );
  },
};

describe.each(Object.keys(themes) as ThemeName[])('%s theme', (theme) => {
  test.each(Object.keys(screens))('%s has no serious accessibility fault', async (name) => {
    const view = await screens[name]!(theme);
    await view.settle();
    await view.page.screenshot({ path: `${folder}/webview-${name}-${theme}.png` });
    expect(await view.accessibilityFaults()).toEqual([]);
    expect(view.errors).toEqual([]);
    await view.close();
  });
});
