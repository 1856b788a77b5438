/** @file Plausible states of the host, for the tests and the screenshots. */
import type { AdapterInfo, ModelInfo, ModelShape, RunSummary } from '../../../src/protocol/backend.js';
import type { DataOverview, ExamplePage, PreflightReport, SampleToken } from '../../../src/protocol/preflight.js';
import {
  completionMetricNames,
  positionKinds,
  type CompletionCase,
  type CompletionArm,
  type CompletionReport,
  type CompletionScores,
} from '../../../src/protocol/completionReport.js';
import type { LeakReport } from '../../../src/protocol/leakProbe.js';
import type { CompletionStatisticsState, NamedCounts } from '../../../src/protocol/views/completionStatistics.js';
import { noLabels, type Metric, type RunStatus, type Sample } from '../../../src/protocol/run.js';
import type { RunConfig } from '../../../src/protocol/runConfig.js';
import { validateRunConfig } from '../../../src/protocol/validateRunConfig.js';
import type { Batch, PlaygroundState } from '../../../src/protocol/views/playground.js';
import type { FineTuneState } from '../../../src/protocol/views/fineTune.js';
import type { SweepPlan } from '../../../src/protocol/views/sweep.js';
import type { SettingValues, SweepReport, SweepRow } from '../../../src/protocol/sweep.js';
import type { ShownSpectrum } from '../../../src/protocol/views/spectrum.js';
import type { AdapterSpectrum, IntruderReport, RankLossReport, SimilarityGrids } from '../../../src/protocol/spectrum.js';

export const models: readonly ModelInfo[] = [
  {
    path: '/models/SmolLM2-135M-Instruct.gguf',
    name: 'SmolLM2-135M-Instruct',
    kind: 'gguf',
    source: 'cache',
    sizeBytes: 98_000_000,
  },
  {
    path: '/models/Llama-3.2-1B',
    name: 'Llama-3.2-1B',
    kind: 'huggingface',
    source: 'added',
    sizeBytes: 2_470_000_000,
  },
];

export const adapters: readonly AdapterInfo[] = [
  {
    path: '/workspace/runs/support-answers/adapter',
    name: 'support-answers',
    baseModel: '/models/SmolLM2-135M-Instruct.gguf',
    rank: 8,
    alpha: 16,
    targetModules: ['q_proj', 'v_proj'],
    sizeBytes: 3_700_000,
    modifiedAt: Date.parse('2026-08-20T10:20:00Z'),
    run: { dataPath: '/workspace/data/answers.jsonl', heldOutLoss: 1.394 },
  },
];

/** An adapter of rank 16 on thirty layers, whose later layers learned more. */
export function spectrumOf(layers: number, linears: readonly string[], compared: boolean): AdapterSpectrum {
  const rank = 16;
  const matrices = Array.from({ length: layers }, (_, layer) =>
    linears.map((linear, place) => {
      const fall = 0.5 + (0.35 * layer) / layers + 0.02 * place;
      const values = Array.from({ length: rank }, (_, k) => 0.8 * fall ** k);
      const squares = values.map((value) => value * value);
      const total = squares.reduce((sum, square) => sum + square, 0);
      const shares = values.map((value) => value / values.reduce((sum, each) => sum + each, 0));
      let kept = 0;
      const energyRank = 1 + squares.findIndex((square) => (kept += square) >= 0.9 * total);
      const chance = { inputByChance: energyRank / 576, outputByChance: energyRank / 576 };
      return {
        layer,
        linear,
        values,
        entropyRank: Math.exp(-shares.reduce((sum, share) => sum + share * Math.log(share), 0)),
        energyRank,
        norm: Math.sqrt(total),
        baseNorm: 24 + place,
        similarity: compared ? { ranks: energyRank, input: 0.6 - layer / 60, output: 0.1 + layer / 100, ...chance } : null,
      };
    }),
  ).flat();
  const ladder = [16, 8, 4, 2, 1].map((lower, k) => ({ rank: lower, energyKept: [1, 0.971, 0.862, 0.701, 0.52][k]! }));
  const other = compared ? '/workspace/runs/first-try/adapter' : null;
  return { adapter: adapters[0]!.path, model: models[0]!.path, other, rank, matrices, ladder };
}

export const allLinears = ['q_proj', 'k_proj', 'v_proj', 'o_proj', 'gate_proj', 'up_proj', 'down_proj'];

export const rankLosses: RankLossReport = {
  losses: [16, 8, 4, 2, 1, 0].map((rank, k) => ({
    rank,
    loss: [1.394, 1.3947, 1.411, 1.502, 1.688, 2.613][k]!,
    difference: [0, 0.0007, 0.017, 0.108, 0.294, 1.219][k]!,
    halfInterval: [0, 0.0011, 0.006, 0.021, 0.048, 0.12][k]!,
  })),
  examples: 48,
  tokens: 3204,
  engine: 'CPU, 2 threads, fp32 base',
};

export function intrudersOf(layer: number, linear: string): IntruderReport {
  const cosines = [0.31, 0.998, 0.97, 0.44, 0.99, 0.93, 0.88, 0.97, 0.91, 0.86];
  const directions = cosines.map((cosine, k) => ({ value: 14.2 * 0.9 ** k, cosine }));
  return { layer, linear, directions, intruders: 2, threshold: 0.5 };
}

export const shownSpectrum: ShownSpectrum = {
  name: 'support-answers',
  otherName: null,
  spectrum: spectrumOf(30, allLinears, false),
  losses: null,
  intruders: [],
};

export const comparedSpectrum: ShownSpectrum = {
  name: 'support-answers-of-the-third-quarter-with-a-long-name',
  otherName: 'first-try',
  spectrum: spectrumOf(30, allLinears, true),
  losses: rankLosses,
  intruders: [intrudersOf(12, 'o_proj')],
};

export const similarityGrids: SimilarityGrids = {
  input: Array.from({ length: 16 }, (_, i) => Array.from({ length: 16 }, (_, j) => 0.7 * 0.95 ** Math.abs(i - j) * 0.97 ** i)),
  output: Array.from({ length: 16 }, (_, i) => Array.from({ length: 16 }, (_, j) => 0.3 * 0.8 ** Math.abs(i - j) + i / 100)),
};

export const modelShape: ModelShape = {
  model: '/models/SmolLM2-135M-Instruct.gguf',
  layerCount: 30,
  totalParameters: 134_515_008,
  linears: {
    q_proj: [576, 576],
    k_proj: [192, 576],
    v_proj: [192, 576],
    o_proj: [576, 576],
    gate_proj: [1536, 576],
    up_proj: [1536, 576],
    down_proj: [576, 1536],
  },
};

/** A loss that falls as losses usually do; the same numbers every time. */
export function metrics(steps: number, { start = 2.6, floor = 1.1, seed = 1, evalEvery = 20 } = {}): Metric[] {
  let state = seed;
  const noise = () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647 - 0.5;
  };
  return Array.from({ length: steps }, (_, index) => index + 1).flatMap((step) => {
    const trend = floor + (start - floor) * Math.exp((-4 * step) / steps);
    const warm = Math.min(1, step / (steps / 10));
    const metric: Metric = {
      step,
      loss: trend + 0.3 * noise(),
      learning_rate: 3e-4 * warm * (0.5 + 0.5 * Math.cos((Math.PI * step) / steps)),
      grad_norm: 0.8 + 1.2 * Math.exp((-6 * step) / steps) + 0.4 * noise(),
      tokens: step * 900,
      tokens_per_second: 410 + 30 * noise(),
      elapsed_seconds: step * 2.2,
      peak_memory_bytes: 1_320_000_000,
      memory_bytes: 1_210_000_000 + 90_000_000 * noise(),
      cpu_percent: 188 + 14 * noise(),
    };
    return step % evalEvery === 0 ? [metric, { step, eval_loss: trend + 0.12 + 0.03 * noise() }] : [metric];
  });
}

export function run(
  name: string,
  status: RunStatus,
  done: number,
  total: number,
  startedAt = '2026-08-20T10:00:00Z',
): RunSummary {
  const last = metrics(Math.max(1, done)).findLast((metric) => 'loss' in metric)!;
  return {
    runId: `/workspace/runs/${name}`,
    sweepId: null,
    name,
    labels: noLabels,
    model: '/models/SmolLM2-135M-Instruct.gguf',
    dataPath: '/workspace/data/answers.jsonl',
    rank: 16,
    firstEvalLoss: done >= 20 ? 2.61 : null,
    state: {
      status,
      step: done,
      totalSteps: total,
      epoch: (3 * done) / total,
      pid: status === 'running' ? 4242 : null,
      processStart: null,
      ifKilled: null,
      device: 'CPU, 2 threads',
      startedAt,
      updatedAt: '2026-08-20T10:20:00Z',
      bestEvalLoss: done >= 20 ? 1.327 : null,
      bestStep: done >= 20 ? Math.floor(done / 20) * 20 : null,
      queuedAt: null,
      requeued: false,
      trainableParameters: 460_800,
      message: null,
    },
    lastStep: done > 0 ? (last as RunSummary['lastStep']) : null,
    hasAdapter: status === 'finished',
  };
}

export const configJson = {
  model: '/models/SmolLM2-135M-Instruct.gguf',
  data: { path: 'data/answers.jsonl' },
  lora: { r: 16, alpha: 32, target_modules: ['q_proj', 'k_proj', 'v_proj', 'o_proj'] },
  train: { learning_rate: 0.0005, gradient_accumulation_steps: 4 },
};

export function config(json: unknown = configJson): RunConfig {
  const result = validateRunConfig(json);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('\n'));
  return result.config;
}

function tokens(text: string, learned: boolean): SampleToken[] {
  return (text.match(/\s?\w+|\s?[^\w\s]+|\s/g) ?? []).map((piece, index) => ({
    id: 300 + index,
    text: piece,
    learned,
  }));
}

export const preflightReport: PreflightReport = {
  device: 'CPU, 2 threads, int4 base',
  trainableParameters: 1_843_200,
  totalSteps: 171,
  format: 'alpaca',
  training: {
    examples: 912,
    tokens: 118_204,
    labelTokens: 61_377,
    shortestLength: 18,
    medianLength: 112,
    length95: 236,
    longestLength: 256,
    histogram: [32, 64, 96, 128, 160, 192, 224, 256].map((upTo, index) => ({
      upTo,
      examples: [41, 118, 203, 221, 160, 88, 50, 31][index]!,
    })),
    truncated: 12,
  },
  evaluation: {
    examples: 48,
    tokens: 6_190,
    labelTokens: 3_204,
    shortestLength: 22,
    medianLength: 110,
    length95: 230,
    longestLength: 256,
    histogram: [{ upTo: 256, examples: 48 }],
    truncated: 1,
  },
  files: [],
  fileCount: 0,
  languages: [],
  folders: [],
  heldOutBy: null,
  leftOut: [],
  skipped: [
    { origin: 'data/answers.jsonl:17', reason: 'not JSON: unexpected end of the line' },
    { origin: 'data/answers.jsonl:240', reason: 'the field "output" is missing' },
  ],
  skippedCount: 2,
  samples: [
    {
      origin: 'data/answers.jsonl:1',
      tokens: [
        ...tokens('### Instruction:\nHow do I reset my password?\n\n### Response:\n', false),
        ...tokens(
          'Open the account page, choose “Security”, and press “Reset password”. A link arrives by mail within a minute.',
          true,
        ),
      ],
      cut: 0,
    },
    {
      origin: 'data/answers.jsonl:2',
      tokens: [
        ...tokens('### Instruction:\nExplain how refunds work.\n\n### Response:\n', false),
        ...tokens('A refund goes back to the card that paid. It takes three to five working days, and', true),
      ],
      cut: 143,
    },
  ],
  warnings: ['12 of 912 examples are longer than 256 tokens and were cut; raise data.max_seq_length to keep their ends.'],
  estimate: {
    secondsPerStep: 6.1,
    totalSeconds: 1043,
    peakMemoryBytes: 1_240_000_000,
    expectedMemoryBytes: 1_310_000_000,
    expectedDeviceBytes: 0,
  },
};

export const examplePage: ExamplePage = {
  text: '',
  offset: 0,
  total: 960,
  examples: preflightReport.samples.map((sample, index) => ({ ...sample, heldOut: index === 1 })),
};

const sourceFiles = [
  'server/app.py',
  'server/routes/orders.py',
  'server/models.py',
  'web/cart.ts',
  'web/checkout.ts',
  'server/db.py',
  'web/api.ts',
  'tools/release.sh',
  'web/forms.ts',
  'server/mail.py',
  'web/main.ts',
  'server/auth.py',
  'web/format.ts',
  'server/jobs.py',
];

/** The overview of a small workspace. */
export const codeOverview: DataOverview = {
  format: 'code',
  examples: 41,
  tokens: 18_240,
  truncated: 0,
  heldOut: 4,
  longest: 512,
  files: sourceFiles.map((name, index) => ({
    path: `/home/me/shop/${name}`,
    examples: 4,
    tokens: Math.round(4100 / (index + 1)),
    heldOut: index === 3,
  })),
  fileCount: sourceFiles.length,
  languages: [
    { name: 'typescript', files: 7, tokens: 10_120 },
    { name: 'python', files: 7, tokens: 8_120 },
  ],
  folders: [
    { name: 'web', files: 7, tokens: 10_120 },
    { name: 'server', files: 7, tokens: 8_120 },
  ],
  heldOutBy: 'git',
  leftOut: [
    { kind: 'credential', count: 1, files: [{ path: '/home/me/shop/server/pay.py', line: 12, detail: 'stripe' }] },
    { kind: 'hidden', count: 2, files: [{ path: '/home/me/shop/.env' }, { path: '/home/me/shop/.github' }] },
    { kind: 'secret', count: 1, files: [{ path: '/home/me/shop/server/key.pem' }] },
    {
      kind: 'data',
      count: 130,
      files: [{ path: '/home/me/shop/data/orders.jsonl' }, { path: '/home/me/shop/package.json' }],
    },
    { kind: 'document', count: 1, files: [{ path: '/home/me/shop/README.md' }] },
    {
      kind: 'nearDuplicate',
      count: 1,
      files: [{ path: '/home/me/shop/web/form2.ts', detail: '91 % web/forms.ts' }],
    },
  ],
  skipped: [],
  skippedCount: 0,
  rows: 36,
};

export const runs = [
  run('support-answers', 'running', 120, 171, '2026-08-20T10:00:00Z'),
  run('first-try', 'finished', 171, 171, '2026-08-19T09:00:00Z'),
  run('rank-64', 'stopped', 80, 171, '2026-08-18T09:00:00Z'),
];

/** What is trained, and what waits for it, the first one with steps done. */
export const queue = [
  run('support-answers', 'running', 120, 171, '2026-08-20T10:00:00Z'),
  ...['answers · SmolLM2-135M-Instruct · r16 with a learning rate that is ten times as high', 'r2', 'r4', 'r8', 'r32', 'r64'].map(
    (name, index) => {
      const waiting = run(name, 'queued', index === 0 ? 40 : 0, index === 0 ? 171 : 0, `2026-08-20T10:0${index + 1}:00Z`);
      return { ...waiting, state: { ...waiting.state, epoch: 0, queuedAt: waiting.state.startedAt } };
    },
  ),
];

export const fineTuneState: FineTuneState = {
  document: { kind: 'parsed', config: configJson, throughEdit: 0, name: 'support-answers.run.json' },
  check: {
    ok: true,
    config: config(),
    estimate: {
      peakMemoryBytes: 1_310_000_000,
      deviceMemoryBytes: 0,
      availableMemoryBytes: 12_400_000_000,
      remedies: [],
      secondsPerStep: 6.1,
    },
  },
  modelShape,
  models,
  runsFolder: '/workspace/runs',
  data: {
    kind: 'ready',
    overview: {
      format: 'alpaca',
      examples: 960,
      tokens: 124_394,
      truncated: 12,
      heldOut: 48,
      longest: 256,
      files: [],
      fileCount: 0,
      languages: [],
      folders: [],
      heldOutBy: null,
      leftOut: [],
      skipped: preflightReport.skipped,
      skippedCount: 2,
      rows: 912,
    },
  },
  preflight: { kind: 'ready', report: preflightReport, current: true },
  runs: { runs, throughSeq: 10 },
  runId: runs[0]!.runId,
  showsData: false,
  fetching: { kind: 'none' },
};

/** The adapters, plus an older one and one of another model. */
export const moreAdapters: readonly AdapterInfo[] = [
  {
    ...adapters[0]!,
    path: '/workspace/runs/first-try/adapter',
    name: 'first-try',
    modifiedAt: Date.parse('2026-08-19T10:00:00Z'),
  },
  {
    ...adapters[0]!,
    path: '/workspace/runs/verses/adapter',
    name: 'verses',
    baseModel: models[1]!.path,
    modifiedAt: Date.parse('2026-08-21T10:00:00Z'),
  },
  adapters[0]!,
];

export const playgroundState: PlaygroundState = {
  opening: 1,
  models,
  adapters,
  prefill: { model: models[0]!.path, adapter: adapters[0]!.path, prompt: 'How do I reset my password?', run: false },
  history: [],
  answers: [],
  batch: null,
};

export const batch: Batch = {
  requestId: 1,
  file: 'questions.txt',
  left: { adapter: null, strength: 1 },
  right: { adapter: adapters[0]!.path, strength: 0.5 },
  running: true,
  rows: [
    {
      prompt: 'How do I reset my password?',
      left: { kind: 'text', text: 'To reset your password, you need to contact the administrator of the site.' },
      right: {
        kind: 'text',
        text: 'Open the account page, choose “Security”, and press “Reset password”. A link arrives by mail within a minute.',
      },
    },
    {
      prompt: 'Explain how refunds work.',
      left: { kind: 'text', text: 'Refunds are a way of getting money back.' },
      right: { kind: 'failed', message: 'The prompt has 9000 tokens; this model reads at most 8192. Shorten it.' },
    },
    { prompt: 'Where is my order?', left: null, right: null },
  ],
};

/** All of a run's metrics in one message. */
export function metricsMessage(runId: string, all: readonly Metric[], first = 0) {
  return { type: 'metrics', runId, first, metrics: all } as const;
}

/** The config that a run was started with, which differs from the form's. */
export function runConfigMessage(runId: string) {
  const ofRun = { ...configJson, lora: { ...configJson.lora, r: 32, alpha: 64 }, train: { max_steps: 171, learning_rate: 2e-4 } };
  return { type: 'runConfig', runId, config: config(ofRun) } as const;
}

const refunds = 'How long does a refund take?';
const keys = 'Which shortcut opens the command palette?';

/** Samples of the base, then of the adapter at each evaluation; the second prompt is not asked every time. */
export const samples: readonly Sample[] = [
  { step: 0, prompt: refunds, expected: 'Refunds arrive within five working days.', text: 'A refund is a type of payment that' },
  { step: 0, prompt: keys, expected: 'Ctrl+Shift+P', text: 'The command palette is a tool that allows you to access the' },
  { step: 40, prompt: refunds, expected: 'Refunds arrive within five working days.', text: 'Refunds take five days.' },
  { step: 40, prompt: keys, expected: 'Ctrl+Shift+P', text: 'Press Ctrl+P' },
  { step: 80, prompt: refunds, expected: 'Refunds arrive within five working days.', text: 'Refunds arrive within five days.' },
  {
    step: 120,
    prompt: refunds,
    expected: 'Refunds arrive within five working days.',
    text: 'Refunds arrive within five working days.',
  },
  { step: 120, prompt: keys, expected: 'Ctrl+Shift+P', text: 'Ctrl+Shift+P' },
];

export function samplesMessage(runId: string, all: readonly Sample[], first = 0) {
  return { type: 'samples', runId, first, samples: all } as const;
}

const codeCases: readonly Pick<CompletionCase, 'kind' | 'file' | 'line' | 'before' | 'truth' | 'after'>[] = [
  {
    kind: 'line',
    file: 'src/files/dataFiles.ts',
    line: 41,
    before: 'function diskFile(path: string, size: number): DataFile {\n  return {\n    path,\n    size,\n    ',
    truth: 'lines: () => linesOf(path),',
    after: '\n    bytes: () => usable(() => openFile(path)),\n  };\n}\n',
  },
  {
    kind: 'functionBody',
    file: 'src/extension/webviews/a-folder-with-a-rather-long-name/anotherFolder/webviewPanelsThatAreLong.ts',
    line: 112,
    before: '  /** The content of a panel. */\n  protected restored(): Content {\n    ',
    truth: 'const [first] = this.pages;\n    return first && { panel: first[0], page: first[1] };',
    after: '\n  }\n',
  },
  {
    kind: 'arguments',
    file: 'src/runs/jsonLines.ts',
    line: 17,
    before: 'export function appendLine(path: string, value: unknown): void {\n  appendToFile(',
    truth: 'path, lineOf(value)',
    after: ');\n}\n',
  },
  {
    kind: 'lineRest',
    file: 'src/core/random.ts',
    line: 9,
    before: '  constructor(seed: number, ...stream: number[]) {\n    for (let word = 0; ',
    truth: 'word < 4; word++) this.state[word] = hash32(seed, ...stream, word);',
    after: '\n    // The all-zero state is the only one that the generator cannot leave.\n  }\n',
  },
  {
    kind: 'block',
    file: 'src/core/mutex.ts',
    line: 22,
    before: '    if (this.waiting.length > 0) {\n      ',
    truth: 'const next = this.waiting.shift()!;\n      next();',
    after: '\n    }\n  }\n',
  },
];

type ReportArm = CompletionArm & { readonly exact: number };

const reportArms: readonly ReportArm[] = [
  { name: 'base', role: 'base', adapter: null, context: 'cursor', exact: 0.2 },
  { name: 'control', role: 'control', adapter: '/workspace/runs/workspace/control/adapter', context: 'cursor', exact: 0.29 },
  {
    name: 'workspace · Qwen2.5-Coder-0.5B · r16',
    role: 'adapter',
    adapter: '/workspace/runs/workspace/adapter',
    context: 'cursor',
    exact: 0.35,
  },
];

function scoresNear(exact: number): CompletionScores {
  return {
    exactMatch: exact,
    firstLine: exact + 0.05,
    editSimilarity: 0.5 + exact / 2,
    identifierF1: 0.45 + exact / 2,
    stopRate: exact > 0.2 ? 0.85 : 0.01,
    bitsPerByte: 0.85 - 0.8 * exact,
    fullLevenshtein: 41 - 40 * exact,
    optimalLevenshtein: 30 - 20 * exact,
  };
}

const retrievedArms: readonly ReportArm[] = [
  { name: 'base + retrieval', role: 'other', adapter: null, context: 'retrieved', exact: 0.31 },
  {
    name: 'workspace · Qwen2.5-Coder-0.5B · r16 + retrieval',
    role: 'other',
    adapter: '/workspace/runs/workspace/adapter',
    context: 'retrieved',
    exact: 0.42,
  },
];

/** What an evaluation at 205 positions might find. The third arm is the adapter; it is compared with the others. */
const reportOf = (arms: readonly ReportArm[]): CompletionReport => ({
  run: 'workspace · Qwen2.5-Coder-0.5B · r16',
  model: 'Qwen2.5-Coder-0.5B-Instruct-Q4_K_M.gguf',
  engine: 'CPU, 2 threads, int8 weights',
  createdAt: '2026-08-20T10:20:00Z',
  seed: 1337,
  fileCount: 30,
  leaked: [],
  arms: arms.map(({ exact, ...arm }, index) => ({
    ...arm,
    scores: scoresNear(exact),
    byKind: positionKinds.map((kind, at) => ({ kind, positions: 41, scores: scoresNear(Math.max(0, exact - 0.1 + 0.05 * at)) })),
    latencyMs: { p50: 1210 + 30 * index, p90: 2480 + 55 * index },
    unrelatedBitsPerByte: 0.91 + 0.01 * index,
  })),
  comparisons: [1, 0, 3, 4].slice(0, arms.length - 1).map((against) => ({
    arm: 2,
    against,
    differences: completionMetricNames.map((metric) => {
      const difference = scoresNear(0.35)[metric] - scoresNear(arms[against]!.exact)[metric];
      return { metric, difference, low: difference - 0.045, high: difference + 0.05 };
    }),
    onlyArm: against === 1 ? 21 : 36,
    onlyAgainst: against === 1 ? 9 : 5,
    pValue: against === 1 ? 0.0428 : 6.1e-7,
  })),
  cases: Array.from({ length: 205 }, (_, index) => {
    const each = codeCases[index % codeCases.length]!;
    const texts = [
      `${each.truth.slice(0, 8)}x;\n    return;`,
      each.truth.replace('path', 'file'),
      each.truth,
      each.truth,
      each.truth,
    ];
    const suggestions = texts
      .slice(0, arms.length)
      .map((text, arm) => ({ text, scores: scoresNear(arm === 2 && index % 3 > 0 ? 1 : 0) }));
    return { ...each, path: `/workspace/${each.file}`, column: 5, suggestions };
  }),
});

export const report = reportOf(reportArms);
export const reportWithRetrieval = reportOf([...reportArms, ...retrievedArms]);

function countsOf(name: string, adapter: string | null, shown: number, accepted: number, kept: readonly number[]): NamedCounts {
  const characters = 24 * accepted;
  return {
    name,
    model: '/models/Qwen2.5-Coder-0.5B',
    adapter,
    shown,
    accepted,
    acceptedWords: 4 * accepted,
    kept: kept.map((share) => ({ lookedAt: share === 0 ? 0 : characters, kept: Math.round(share * characters) })),
  };
}

/** What a week of inline completion might have counted, with two blind comparisons. */
export const statistics: CompletionStatisticsState = {
  counting: true,
  writers: [
    countsOf('base Qwen2.5-Coder-0.5B', null, 412, 84, [0.91, 0.78]),
    countsOf('workspace · Qwen2.5-Coder-0.5B · r16', '/runs/workspace/adapter', 1284, 431, [0.96, 0.89]),
    countsOf('support-answers', '/runs/support/adapter', 97, 12, [0.62, 0]),
  ],
  comparisons: [
    {
      startedAt: Date.parse('2026-08-21T09:30:00Z'),
      first: countsOf('base Qwen2.5-Coder-0.5B', null, 64, 12, [0.9, 0.7]),
      second: countsOf('workspace · Qwen2.5-Coder-0.5B · r16', '/runs/workspace/adapter', 66, 29, [0.97, 0.9]),
    },
    {
      startedAt: Date.parse('2026-08-19T14:05:00Z'),
      first: countsOf('support-answers', '/runs/support/adapter', 18, 5, [0.8, 0]),
      second: countsOf('workspace · Qwen2.5-Coder-0.5B · r16', '/runs/workspace/adapter', 17, 4, [0.9, 0]),
    },
  ],
  running: null,
};

/** What a probe of an adapter that was trained for too long might find. */
export const leakReport: LeakReport = {
  run: '/runs/by-heart',
  adapter: '/runs/by-heart/adapter',
  model: '/models/Qwen2.5-Coder-0.5B',
  probes: 200,
  prefixTokens: 50,
  matchTokens: 50,
  seed: 1337,
  places: 1834,
  probed: 200,
  reproduced: 5,
  byBaseAlso: 2,
  leaks: [
    {
      origin: '/workspace/services/billing/src/invoices/numbering/nextInvoiceNumber.ts:41',
      prefix:
        'export async function nextInvoiceNumber(customer: Customer): Promise<string> {\n  const year = new Date().getFullYear();\n',
      text: '  const last = await invoices.lastNumberOf(customer.id, year);\n  const next = last === undefined ? 1 : last + 1;\n  return `${customer.prefix}-${year}-${String(next).padStart(5, "0")}`;\n}\n',
      tokens: 71,
      baseTokens: 6,
    },
    {
      origin: '/workspace/LICENSE-NOTICE.md:3',
      prefix: 'This software is the property of Ferndale Instruments and may be used by its employees',
      text: ' and by contractors who have signed the agreement of 12 March. It must not be copied to machines that are not managed by the company, and every copy must be deleted when the work has ended.',
      tokens: 58,
      baseTokens: 2,
    },
    {
      origin: '/workspace/data/support-answers.jsonl:912',
      prefix: 'How do I reset the controller?',
      text: 'Hold both keys for nine seconds until the lamp flashes twice, release them, and enter the service code that is printed on the inside of the lid. The controller starts with the settings of the factory.',
      tokens: 52,
      baseTokens: 11,
    },
  ],
  rate: 3 / 200,
  interval: [0.0051, 0.0432],
  engine: 'CPU, 2 threads, int8 weights',
};

/** The settings of `config()`, with data and a model that are known. */
export const sweepPlan: SweepPlan = {
  path: '/workspace/support-answers.run.json',
  name: 'support-answers.run.json',
  isRecord: false,
  check: fineTuneState.check,
  modelShape,
  rows: 912,
};

export function sweepRow(settings: SettingValues, row: Partial<SweepRow>): SweepRow {
  const name = Object.entries(settings)
    .map(([setting, value]) => `${setting.split('.').at(-1)!}=${Array.isArray(value) ? value.join('+') : String(value)}`)
    .join(', ');
  return {
    runId: `/workspace/runs/sweep/${name}`,
    name,
    settings,
    status: 'queued',
    step: 0,
    totalSteps: 0,
    leftAtStep: null,
    heldOutLoss: null,
    toBest: null,
    trainableParameters: 0,
    seconds: null,
    peakMemoryBytes: null,
    tokensPerSecond: null,
    completion: null,
    ...row,
  };
}

/** The run of a row, as the list of runs shows it. */
export function runOfRow({ runId, name, status, step, totalSteps, toBest }: SweepRow): RunSummary {
  return {
    ...run(name, status, step, totalSteps || 171),
    runId,
    name,
    sweepId: '/workspace/runs/sweep',
    hasAdapter: toBest !== null,
  };
}

const rankLossOf: Readonly<Record<number, number>> = { 2: 1.4331, 4: 1.4102, 8: 1.3958, 16: 1.3961, 32: 1.3949, 64: 1.3943 };

function finishedRow(settings: SettingValues, heldOutLoss: number, least: number, halfInterval: number): SweepRow {
  const rank = Number(settings['lora.r']);
  return sweepRow(settings, {
    status: 'finished',
    step: 171,
    totalSteps: 171,
    heldOutLoss,
    toBest: { difference: heldOutLoss - least, halfInterval: heldOutLoss === least ? 0 : halfInterval },
    trainableParameters: 57_600 * rank,
    seconds: 372 + rank,
    peakMemoryBytes: 1_190_000_000 + 9_000_000 * rank,
    tokensPerSecond: 412 - rank / 2,
  });
}

const sweepOf = { sweepId: '/workspace/runs/sweep', model: models[0]!.path, dataPath: '/workspace/data/answers.jsonl' };

/** Six ranks, trained to their end, of which rank 8 is enough. */
export const rankSweep: SweepReport = {
  ...sweepOf,
  name: 'rank · answers.jsonl',
  settings: ['lora.r'],
  rungs: [],
  isComplete: true,
  baseLoss: 2.6134,
  isOfCode: false,
  rows: [2, 4, 8, 16, 32, 64].map((rank) =>
    finishedRow({ 'lora.r': rank }, rankLossOf[rank]!, 1.3943, rank < 8 ? 0.0048 : 0.0031),
  ),
  recommendation: { take: 2, best: 5, isUncertain: false },
};

const attention = ['q_proj', 'k_proj', 'v_proj', 'o_proj'];

/** Three settings with halving, in the middle of it: some runs were left, one is at work, one has failed. */
export const halvedSweep: SweepReport = {
  ...sweepOf,
  name: 'rank × learning rate × target modules · answers-of-the-third-quarter.jsonl',
  settings: ['lora.r', 'train.learning_rate', 'lora.target_modules'],
  rungs: [19, 57],
  isComplete: false,
  baseLoss: 2.6134,
  isOfCode: false,
  rows: [4, 8, 16].flatMap((rank, i) =>
    [1e-4, 1e-3].flatMap((rate, j) =>
      [['q_proj', 'v_proj'], attention].map((modules, k): SweepRow => {
        const settings = { 'lora.r': rank, 'train.learning_rate': rate, 'lora.target_modules': modules };
        const place = i * 4 + j * 2 + k;
        const loss = 1.62 - 0.02 * i - 0.1 * j - 0.03 * k;
        const common = {
          trainableParameters: 57_600 * rank * (k + 1),
          totalSteps: 171,
          peakMemoryBytes: 1_210_000_000,
          tokensPerSecond: 402,
        };
        if (place === 7) return { ...finishedRow(settings, 1.4021, 1.4021, 0), ...common };
        if (place === 11)
          return { ...sweepRow(settings, common), status: 'running', step: 132, heldOutLoss: 1.4102, seconds: 290 };
        if (place === 3) return { ...sweepRow(settings, common), status: 'failed', step: 23, heldOutLoss: 1.7, seconds: 51 };
        if (place === 10)
          return { ...sweepRow(settings, common), status: 'queued', step: 57, heldOutLoss: loss - 0.02, seconds: 128 };
        return {
          ...sweepRow(settings, common),
          status: 'stopped',
          step: 19,
          leftAtStep: 19,
          heldOutLoss: loss + 0.14,
          seconds: 44,
        };
      }),
    ),
  ),
  recommendation: { take: 7, best: 7, isUncertain: false },
};

/** Just begun. */
export const begunSweep: SweepReport = {
  ...rankSweep,
  isComplete: false,
  baseLoss: null,
  recommendation: null,
  rows: [2, 4, 8, 16, 32].map((rank, index) =>
    sweepRow(
      { 'lora.r': rank },
      index === 0 ? { status: 'running', step: 12, totalSteps: 171, trainableParameters: 115_200, seconds: 27 } : {},
    ),
  ),
};

/** One measured on code completion as well, with too little held out to tell anything. */
export const uncertainSweep: SweepReport = {
  ...rankSweep,
  isOfCode: true,
  rows: rankSweep.rows.slice(0, 3).map((row, index) => ({
    ...row,
    toBest: { difference: 0.0389 - 0.018 * index, halfInterval: index === 2 ? 0 : 0.09 },
    completion: scoresFor(index),
  })),
  recommendation: { take: 0, best: 2, isUncertain: true },
};

function scoresFor(index: number): CompletionScores {
  return Object.fromEntries(completionMetricNames.map((name) => [name, 0.31 + 0.04 * index])) as unknown as CompletionScores;
}
