import { describe, expect, test } from 'vitest';
import {
  isFromWebview,
  isHydrateFor,
  isToWebview,
  type FromView,
  type StateOf,
  type ToWebview,
  type View,
} from '../../../src/protocol/views/registry.js';
import type { FromAnyView, Message } from '../../../src/protocol/views/view.js';
import {
  codeOverview,
  examplePage,
  adapters,
  batch,
  config,
  fineTuneState,
  metrics,
  metricsMessage,
  models,
  modelShape,
  playgroundState,
  preflightReport,
  intrudersOf,
  leakReport,
  rankLosses,
  report,
  run,
  similarityGrids,
  spectrumOf,
  halvedSweep,
  sweepPlan,
  statistics,
} from '../../webview/harness/scenes.js';

const summary = run('a', 'running', 30, 60);
const hydrate = { type: 'hydrate', strings: {}, locale: 'en' } as const;
const problems = [{ path: ['lora', 'r'], message: 'lora.r must be at least 1, not 0' }];
const generated = { tokens: 3, tokensPerSecond: 2.5, firstTokenMs: 80, reason: 'end', template: 'chat' } as const;

const states: { readonly [V in View]: StateOf<V> } = {
  fineTune: fineTuneState,
  monitor: { runs: { runs: [summary], throughSeq: 1 }, trusted: true },
  playground: playgroundState,
  compare: { runs: { runs: [], throughSeq: 0 }, runIds: ['a'] },
  spectrum: {
    shown: {
      name: 'a',
      otherName: 'b',
      spectrum: spectrumOf(1, ['q_proj'], true),
      losses: rankLosses,
      intruders: [intrudersOf(0, 'q_proj')],
    },
  },
  completionReport: {
    runId: 'a',
    report: { ...report, leaked: [{ path: 'a', trainedOn: 'b', share: 1 }], cases: report.cases.slice(0, 2) },
  },
  sweep: { runs: { runs: [], throughSeq: 0 }, shown: { kind: 'plan', plan: sweepPlan } },
  completionStatistics: { ...statistics, running: { names: ['a', 'b'], shown: 2, accepted: 1 } },
  leakReport: { shown: { name: 'a', report: leakReport } },
};

type ToEach<V extends View> = {
  readonly [T in ToWebview<V>['type']]: readonly Extract<ToWebview<V>, { type: T }>[];
};
const toRunViewer: ToEach<'monitor'> = {
  runEvent: [
    { type: 'runEvent', event: { seq: 1, kind: 'changed', run: summary } },
    { type: 'runEvent', event: { seq: 1, kind: 'removed', runId: 'a' } },
  ],
  metrics: [metricsMessage('a', metrics(25))],
  runConfig: [{ type: 'runConfig', runId: 'a', config: config() }],
  samples: [{ type: 'samples', runId: 'a', first: 0, samples: [{ step: 0, prompt: 'p', expected: 'e', text: 't' }] }],
};
const toWebview: { readonly [V in View]: ToEach<V> } = {
  monitor: toRunViewer,
  compare: toRunViewer,
  completionReport: {},
  sweep: {
    ...toRunViewer,
    plan: [{ type: 'plan', plan: { ...sweepPlan, check: { ok: false, problems }, modelShape: null, rows: null } }],
    report: [{ type: 'report', report: { ...halvedSweep, rows: halvedSweep.rows.slice(0, 8) } }],
    startFailed: [{ type: 'startFailed', message: 'no' }],
  },
  completionStatistics: { statistics: [{ type: 'statistics', statistics }] },
  leakReport: {},
  fineTune: {
    ...toRunViewer,
    document: [
      { type: 'document', document: fineTuneState.document },
      { type: 'document', document: { kind: 'broken', message: 'no JSON', name: 'run.json' } },
      { type: 'document', document: { kind: 'missing', message: 'gone', name: 'run.json' } },
    ],
    checked: [
      { type: 'checked', check: fineTuneState.check, modelShape },
      { type: 'checked', check: { ok: false, problems }, modelShape: null },
    ],
    models: [{ type: 'models', models }],
    data: [
      { type: 'data', data: { kind: 'reading', share: 0.5 } },
      { type: 'data', data: { kind: 'cancelled' } },
      { type: 'data', data: fineTuneState.data },
      { type: 'data', data: { kind: 'ready', overview: codeOverview } },
      { type: 'data', data: { kind: 'failed', message: 'no data' } },
    ],
    showData: [{ type: 'showData' }],
    examples: [{ type: 'examples', page: examplePage }],
    examplesFailed: [{ type: 'examplesFailed', message: 'no' }],
    preflight: [
      { type: 'preflight', preflight: { kind: 'none' } },
      { type: 'preflight', preflight: { kind: 'running', note: 'Downloaded 1 MB of 3 MB.' } },
      { type: 'preflight', preflight: { kind: 'ready', report: preflightReport, current: false } },
      { type: 'preflight', preflight: { kind: 'failed', message: 'no data' } },
    ],
    shownRun: [{ type: 'shownRun', runId: null }],
    startFailed: [{ type: 'startFailed', message: 'no' }],
    fetching: [
      { type: 'fetching', fetching: { kind: 'none' } },
      { type: 'fetching', fetching: { kind: 'fetching', done: 1, total: 98 } },
      { type: 'fetching', fetching: { kind: 'failed', message: 'no' } },
    ],
  },
  playground: {
    choices: [{ type: 'choices', models, adapters }],
    prefill: [{ type: 'prefill', prefill: playgroundState.prefill! }],
    adapterChosen: [{ type: 'adapterChosen', side: 'right', adapter: '/a' }],
    history: [{ type: 'history', history: ['before'] }],
    token: [{ type: 'token', requestId: 1, side: 'left', text: 'x' }],
    generated: [{ type: 'generated', requestId: 1, side: 'right', summary: generated }],
    generateFailed: [{ type: 'generateFailed', requestId: 1, side: 'left', message: 'no' }],
    batch: [{ type: 'batch', batch }],
    batchAnswer: [{ type: 'batchAnswer', requestId: 1, row: 0, side: 'left', answer: { kind: 'text', text: 'x' } }],
    batchEnded: [{ type: 'batchEnded', requestId: 1 }],
  },
  spectrum: {
    losses: [{ type: 'losses', report: rankLosses }],
    intruders: [{ type: 'intruders', report: intrudersOf(0, 'q_proj') }],
    similarity: [
      {
        type: 'similarity',
        matrix: { layer: 0, linear: 'q_proj' },
        grids: { input: similarityGrids.input.slice(0, 2), output: [[0.5]] },
      },
    ],
    busy: [{ type: 'busy', busy: true }],
  },
};

const sampling = { temperature: 0.7, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, seed: 1 };
const playgroundRequest = {
  requestId: 1,
  model: 'm',
  left: { adapter: null, strength: 1 },
  right: { adapter: '/a', strength: 0.5 },
  template: 'auto',
  sampling,
  maxNewTokens: 8,
} as const;
type FromEach<M extends Message> = { readonly [T in M['type']]: Extract<M, { type: T }> };
const fromAnyView: FromEach<FromAnyView> = {
  ready: { type: 'ready' },
  copy: { type: 'copy', text: 'x' },
  runCommand: { type: 'runCommand', runId: 'a', command: 'pause' },
  export: { type: 'export', format: 'csv', name: 'a.csv', content: '1' },
  fineTune: { type: 'fineTune' },
  manageTrust: { type: 'manageTrust' },
  malformed: { type: 'malformed', messageType: 'token' },
};
const follow = { type: 'follow', runIds: ['a'] } as const;
const fromWebview: { readonly [V in View]: FromEach<FromView<V>> } = {
  monitor: { follow },
  compare: { follow },
  completionReport: {
    openReport: { type: 'openReport', runId: 'a' },
    openPlace: { type: 'openPlace', path: 'a.ts', line: 1, column: 2 },
  },
  sweep: {
    follow,
    reopenPlan: { type: 'reopenPlan', path: '/a/run.json' },
    reopenSweep: { type: 'reopenSweep', sweepId: '/a' },
    editSettings: { type: 'editSettings' },
    start: { type: 'start', name: null, parameters: { 'lora.r': [2, 4] }, halving: { eta: 3 } },
    stopSweep: { type: 'stopSweep' },
    resumeSweep: { type: 'resumeSweep' },
    evaluateSweep: { type: 'evaluateSweep' },
    showCompletions: { type: 'showCompletions' },
  },
  completionStatistics: {
    wipeStatistics: { type: 'wipeStatistics' },
    setCounting: { type: 'setCounting', counting: true },
    stopComparison: { type: 'stopComparison' },
    goOnComparing: { type: 'goOnComparing', startedAt: 1 },
    useWriter: { type: 'useWriter', model: '/m', adapter: null },
  },
  leakReport: {
    openOrigin: { type: 'openOrigin', origin: 'a.jsonl:3' },
  },
  fineTune: {
    follow,
    edit: { type: 'edit', edit: 1, edits: [{ path: ['lora', 'r'] }] },
    browse: { type: 'browse', setting: 'model' },
    openJson: { type: 'openJson' },
    resetDocument: { type: 'resetDocument' },
    start: { type: 'start' },
    sweep: { type: 'sweep' },
    leaveRun: { type: 'leaveRun' },
    fetchSmallModel: { type: 'fetchSmallModel' },
    cancelFetch: { type: 'cancelFetch' },
    useSampleData: { type: 'useSampleData' },
    readExamples: { type: 'readExamples', query: { text: '', offset: 0, limit: 5 } },
    runPreflight: { type: 'runPreflight' },
    cancelPreflight: { type: 'cancelPreflight' },
    cancelData: { type: 'cancelData' },
    readData: { type: 'readData' },
    openOrigin: { type: 'openOrigin', origin: 'a.jsonl:3' },
  },
  playground: {
    generate: { type: 'generate', request: playgroundRequest, prompt: 'p' },
    generateFile: { type: 'generateFile', request: playgroundRequest },
    saveBatch: { type: 'saveBatch' },
    closeBatch: { type: 'closeBatch' },
    clearHistory: { type: 'clearHistory' },
    stopGenerating: { type: 'stopGenerating', requestId: 1 },
    browseAdapter: { type: 'browseAdapter', side: 'left' },
  },
  spectrum: {
    reopen: { type: 'reopen', adapter: '/a', other: null },
    compareWith: { type: 'compareWith' },
    showSimilarity: { type: 'showSimilarity', matrix: { layer: 0, linear: 'q_proj' } },
    findIntruders: { type: 'findIntruders', matrix: { layer: 0, linear: 'q_proj' } },
    measureRanks: { type: 'measureRanks' },
  },
};
const views = Object.keys(states) as View[];

/** Yields the message once for each place in it, made invalid there. What a user wrote into run.json may be anything. */
function* spoilt(value: unknown): Generator<unknown> {
  if (typeof value !== 'object' || value === null) return;
  const written = 'kind' in value && value.kind === 'parsed' ? 'config' : undefined;
  for (const key of Object.keys(value).filter((name) => name !== written)) {
    const inner = (value as Record<string, unknown>)[key];
    yield replaced(value, key, { wrong: [true] });
    if (typeof inner === 'object') for (const wrong of spoilt(inner)) yield replaced(value, key, wrong);
  }
}

function replaced(value: object, key: string, by: unknown): unknown {
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === key ? by : (item as unknown)));
  return { ...value, [key]: by };
}

describe.each(views)('the protocol of %s', (view) => {
  test('its state is known, and refused with any part of it wrong', () => {
    const message = { ...hydrate, state: states[view] };
    expect(isHydrateFor(view, message)).toBe(true);
    for (const wrong of spoilt(message)) expect(isHydrateFor(view, wrong), JSON.stringify(wrong)).toBe(false);
  });

  test.each(Object.entries(toWebview[view]))(
    '%s to the page is known, and refused with any part of it wrong',
    (_, messages: readonly unknown[]) => {
      for (const message of messages) {
        expect(isToWebview(view, message)).toBe(true);
        for (const wrong of spoilt(message)) expect(isToWebview(view, wrong), JSON.stringify(wrong)).toBe(false);
      }
    },
  );

  test.each(Object.entries({ ...fromAnyView, ...fromWebview[view] }))(
    '%s from the page is known, and refused with any part of it wrong',
    (_, message) => {
      expect(isFromWebview(view, message)).toBe(true);
      for (const wrong of spoilt(message)) expect(isFromWebview(view, wrong), JSON.stringify(wrong)).toBe(false);
    },
  );

  test('what another view says is refused', () => {
    const own = new Set(Object.keys({ ...fromAnyView, ...fromWebview[view] }));
    const others = views.flatMap((other) => Object.values<Message>(fromWebview[other])).filter(({ type }) => !own.has(type));
    expect(others.length).toBeGreaterThan(0);
    for (const message of others) expect(isFromWebview(view, message)).toBe(false);
  });

  test.each([null, undefined, 1, 'ready', [], {}, { type: 'toString' }, { type: '__proto__' }, { type: ['ready'] }])(
    '%j is none',
    (message) => {
      expect(isHydrateFor(view, message)).toBe(false);
      expect(isToWebview(view, message)).toBe(false);
      expect(isFromWebview(view, message)).toBe(false);
    },
  );
});
