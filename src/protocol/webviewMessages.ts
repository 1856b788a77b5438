/** @file Run-time checks of what host and webviews post to each other; a message of another shape is dropped. */
import type {
  AdapterInfo,
  ConfigCheck,
  GenerateSummary,
  MemoryRemedy,
  ModelInfo,
  ModelShape,
  RunEstimate,
  RunEvent,
  RunSummary,
  RunsSnapshot,
  SamplingSettings,
} from './backend.js';
import type {
  DataLook,
  DataSummary,
  LengthBin,
  PreflightReport,
  SampleSequence,
  SampleToken,
  SkippedRecord,
  StepEstimate,
} from './preflight.js';
import { runStatuses, type EvalMetric, type RunLabels, type RunState, type StepMetric } from './run.js';
import {
  dataFormats,
  type DataConfig,
  type EngineConfig,
  type LoraConfig,
  type RunConfig,
  type TrainConfig,
} from './runConfig.js';
import {
  anything,
  boolean,
  count,
  either,
  isRecord,
  list,
  nullable,
  number,
  object,
  oneOf,
  recordOf,
  string,
  type Shape,
} from './shape.js';
import type { ConfigProblem } from './validateRunConfig.js';
import type {
  ConfigDocument,
  ConfigEdit,
  DataState,
  FromWebview,
  PlaygroundAnswer,
  PlaygroundRequest,
  Prefill,
  PreflightState,
  ToWebview,
  WebviewStates,
  WebviewView,
} from './webview.js';

/** A message by its type, without the `type` key. */
type Body<Message extends { type: string }, Type extends Message['type']> = Omit<
  Extract<Message, { type: Type }>,
  'type'
>;
type Bodies<Message extends { type: string }> = { readonly [Type in Message['type']]: Shape<Body<Message, Type>> };

export function isToWebview(message: unknown): message is ToWebview {
  return isMessage(toWebview, message);
}

export function isFromWebview(message: unknown): message is FromWebview {
  return isMessage(fromWebview, message);
}

function isMessage(bodies: Readonly<Record<string, Shape<unknown>>>, message: unknown): boolean {
  if (!isRecord(message) || !string(message['type'])) return false;
  return Object.hasOwn(bodies, message['type']) && bodies[message['type']]!(message);
}

const stepMetric: Shape<StepMetric> = object({
  step: count,
  loss: number,
  learning_rate: number,
  grad_norm: number,
  tokens: count,
  tokens_per_second: number,
  elapsed_seconds: number,
  peak_memory_bytes: number,
});
const evalMetric: Shape<EvalMetric> = object({ step: count, eval_loss: number });

const runState: Shape<RunState> = object({
  status: oneOf(...runStatuses),
  step: count,
  totalSteps: count,
  epoch: number,
  pid: nullable(count),
  processStart: nullable(string),
  ifKilled: nullable(string),
  device: string,
  startedAt: string,
  updatedAt: string,
  bestEvalLoss: nullable(number),
  bestStep: nullable(count),
  trainableParameters: count,
  message: nullable(string),
});
const runSummary: Shape<RunSummary> = object({
  runId: string,
  name: string,
  labels: object<RunLabels>({ name: nullable(string), tags: list(string), note: string }),
  model: string,
  dataPath: string,
  rank: count,
  state: runState,
  firstEvalLoss: nullable(number),
  lastStep: nullable(stepMetric),
  hasAdapter: boolean,
});
const runsSnapshot: Shape<RunsSnapshot> = object({ runs: list(runSummary), throughSeq: count });
const runEvent: Shape<RunEvent> = either(
  object<Extract<RunEvent, { kind: 'changed' }>>({ seq: count, kind: oneOf('changed'), run: runSummary }),
  object<Extract<RunEvent, { kind: 'removed' }>>({ seq: count, kind: oneOf('removed'), runId: string }),
);

const dataConfig: Shape<DataConfig> = object({
  path: string,
  format: oneOf(...dataFormats),
  eval_path: nullable(string),
  eval_fraction: number,
  max_seq_length: count,
  packing: boolean,
  shuffle: boolean,
  train_on_prompt: boolean,
});
const loraConfig: Shape<LoraConfig> = object({
  r: count,
  alpha: number,
  dropout: number,
  target_modules: list(string),
  layers: nullable(list(count)),
  use_rslora: boolean,
  init_from: nullable(string),
});
const trainConfig: Shape<TrainConfig> = object({
  learning_rate: number,
  batch_size: count,
  gradient_accumulation_steps: count,
  max_steps: nullable(count),
  num_epochs: count,
  warmup_steps: count,
  lr_scheduler: oneOf('constant', 'linear', 'cosine'),
  weight_decay: number,
  adam_beta1: number,
  adam_beta2: number,
  adam_epsilon: number,
  max_grad_norm: number,
  eval_steps: count,
  save_steps: count,
  logging_steps: count,
  early_stopping_patience: nullable(count),
  seed: count,
});
const engineConfig: Shape<EngineConfig> = object({
  kind: oneOf('onnx'),
  device: oneOf('auto', 'cpu', 'webgpu'),
  cpu_fallback: boolean,
  base_dtype: oneOf('auto', 'fp32', 'fp16', 'int4'),
  threads: nullable(count),
  gradient_checkpointing: oneOf('auto', 'on', 'off'),
  layer_streaming: oneOf('auto', 'on', 'off'),
  memory_check: oneOf('refuse', 'warn'),
});
const runConfig: Shape<RunConfig> = object({
  model: string,
  data: dataConfig,
  lora: loraConfig,
  train: trainConfig,
  engine: engineConfig,
});

const remedy: Shape<MemoryRemedy> = object({
  changes: list(object<MemoryRemedy['changes'][number]>({ setting: string, from: string, to: string })),
  peakMemoryBytes: number,
});
const estimate: Shape<RunEstimate> = object({
  peakMemoryBytes: number,
  deviceMemoryBytes: number,
  availableMemoryBytes: number,
  remedies: list(remedy),
  secondsPerStep: nullable(number),
});
const problem: Shape<ConfigProblem> = object({ path: list(string), message: string });
const configCheck: Shape<ConfigCheck> = either(
  object<Extract<ConfigCheck, { ok: true }>>({
    ok: oneOf(true),
    config: runConfig,
    estimate,
  }),
  object<Extract<ConfigCheck, { ok: false }>>({ ok: oneOf(false), problems: list(problem) }),
);
const configDocument: Shape<ConfigDocument> = either(
  object<Extract<ConfigDocument, { kind: 'parsed' }>>({
    kind: oneOf('parsed'),
    config: recordOf(anything),
    throughEdit: count,
    name: string,
  }),
  object<Extract<ConfigDocument, { kind: 'broken' }>>({ kind: oneOf('broken'), message: string, name: string }),
);
const pair: Shape<readonly [number, number]> = (value): value is readonly [number, number] =>
  list(count)(value) && value.length === 2;
const modelShape: Shape<ModelShape> = object({
  model: string,
  layerCount: count,
  totalParameters: count,
  linears: recordOf(pair),
});

const dataLook: Shape<DataLook> = object({
  format: oneOf('alpaca', 'chat', 'text', 'code', 'tokens'),
  examples: count,
  tokens: count,
  truncated: count,
  skippedCount: count,
  rows: count,
});
const data: Shape<DataState> = either(
  object<{ kind: 'none' | 'reading' }>({ kind: oneOf('none', 'reading') }) as Shape<
    { readonly kind: 'none' } | { readonly kind: 'reading' }
  >,
  object<Extract<DataState, { kind: 'ready' }>>({ kind: oneOf('ready'), look: dataLook }),
  object<Extract<DataState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

const lengthBin: Shape<LengthBin> = object({ upTo: number, examples: count });
const dataSummary: Shape<DataSummary> = object({
  examples: count,
  tokens: count,
  labelTokens: count,
  shortestLength: number,
  medianLength: number,
  length95: number,
  longestLength: number,
  histogram: list(lengthBin),
  truncated: count,
});
const sampleToken: Shape<SampleToken> = object({ id: count, text: string, learned: boolean });
const sampleSequence: Shape<SampleSequence> = object({ origin: string, tokens: list(sampleToken), cut: count });
const skippedRecord: Shape<SkippedRecord> = object({ origin: string, reason: string });
const stepEstimate: Shape<StepEstimate> = object({
  secondsPerStep: number,
  totalSeconds: number,
  peakMemoryBytes: number,
  expectedMemoryBytes: number,
  expectedDeviceBytes: number,
});
const preflightReport: Shape<PreflightReport> = object({
  device: string,
  trainableParameters: count,
  totalSteps: count,
  format: oneOf('alpaca', 'chat', 'text', 'code', 'tokens'),
  training: dataSummary,
  evaluation: nullable(dataSummary),
  skipped: list(skippedRecord),
  skippedCount: count,
  samples: list(sampleSequence),
  warnings: list(string),
  estimate: stepEstimate,
});
const preflight: Shape<PreflightState> = either(
  object<{ kind: 'none' | 'running' }>({ kind: oneOf('none', 'running') }) as Shape<
    { readonly kind: 'none' } | { readonly kind: 'running' }
  >,
  object<Extract<PreflightState, { kind: 'ready' }>>({
    kind: oneOf('ready'),
    report: preflightReport,
    current: boolean,
  }),
  object<Extract<PreflightState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

const modelInfo: Shape<ModelInfo> = object({
  path: string,
  name: string,
  kind: oneOf('huggingface', 'gguf'),
  source: oneOf('cache', 'workspace', 'added'),
  sizeBytes: number,
});
const adapterInfo: Shape<AdapterInfo> = object({
  path: string,
  name: string,
  baseModel: string,
  rank: count,
  alpha: number,
  targetModules: list(string),
  sizeBytes: number,
});
const prefill: Shape<Prefill> = object({
  model: nullable(string),
  adapter: nullable(string),
  prompt: nullable(string),
  run: boolean,
});
const side = oneOf('base', 'adapter');
const generateSummary: Shape<GenerateSummary> = object({
  tokens: count,
  tokensPerSecond: number,
  firstTokenMs: number,
  reason: oneOf('end', 'length', 'stopped'),
});
const answerEnd: Shape<NonNullable<PlaygroundAnswer['end']>> = either(
  object<Extract<PlaygroundAnswer['end'], { kind: 'generated' }>>({ kind: oneOf('generated'), summary: generateSummary }),
  object<Extract<PlaygroundAnswer['end'], { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);
const answer: Shape<PlaygroundAnswer> = object({ requestId: count, side, text: string, end: nullable(answerEnd) });

const states: { readonly [V in WebviewView]: Shape<WebviewStates[V]> } = {
  fineTune: object({
    document: configDocument,
    check: nullable(configCheck),
    modelShape: nullable(modelShape),
    models: list(modelInfo),
    data,
    preflight,
    runs: runsSnapshot,
    runId: nullable(string),
  }),
  monitor: object({ runs: runsSnapshot, trusted: boolean }),
  playground: object({
    models: list(modelInfo),
    adapters: list(adapterInfo),
    prefill: nullable(prefill),
    answers: list(answer),
  }),
  compare: object({ runs: runsSnapshot, runIds: list(string) }),
};
const hydrate: Shape<Body<ToWebview, 'hydrate'>> = (value): value is Body<ToWebview, 'hydrate'> =>
  isRecord(value) &&
  string(value['view']) &&
  Object.hasOwn(states, value['view']) &&
  states[value['view'] as WebviewView](value['state']) &&
  recordOf(string)(value['strings']) &&
  string(value['locale']);

const toWebview: Bodies<ToWebview> = {
  hydrate,
  runEvent: object({ event: runEvent }),
  metrics: object({ runId: string, first: count, metrics: list(either(stepMetric, evalMetric)) }),
  runConfig: object({ runId: string, config: runConfig }),
  document: object({ document: configDocument }),
  checked: object({ check: nullable(configCheck), modelShape: nullable(modelShape) }),
  models: object({ models: list(modelInfo) }),
  data: object({ data }),
  preflight: object({ preflight }),
  shownRun: object({ runId: nullable(string) }),
  startFailed: object({ message: string }),
  choices: object({ models: list(modelInfo), adapters: list(adapterInfo) }),
  prefill: object({ prefill }),
  token: object({ requestId: count, side, text: string }),
  generated: object({ requestId: count, side, summary: generateSummary }),
  generateFailed: object({ requestId: count, side, message: string }),
};

const sampling: Shape<SamplingSettings> = object({
  temperature: number,
  topK: count,
  topP: number,
  minP: number,
  repetitionPenalty: number,
  seed: count,
});
const playgroundRequest: Shape<PlaygroundRequest> = object({
  requestId: count,
  model: string,
  adapter: nullable(string),
  adapterStrength: number,
  prompt: string,
  chat: boolean,
  sampling,
  maxNewTokens: count,
});
const configEdit: Shape<ConfigEdit> = object<Required<ConfigEdit>>({ path: list(string), value: anything });
const nothing = object<Record<never, never>>({});

const fromWebview: Bodies<FromWebview> = {
  ready: nothing,
  copy: object({ text: string }),
  follow: object({ runIds: list(string) }),
  runCommand: object({
    runId: string,
    command: oneOf('pause', 'resume', 'stop', 'open', 'reveal', 'showLog', 'playground'),
  }),
  export: object({ format: oneOf('png', 'csv'), name: string, content: string }),
  fineTune: nothing,
  manageTrust: nothing,
  edit: object({ edit: count, edits: list(configEdit) }),
  browse: object({ setting: oneOf('model', 'data.path', 'data.eval_path', 'lora.init_from') }),
  openJson: nothing,
  start: nothing,
  runPreflight: nothing,
  cancelPreflight: nothing,
  openOrigin: object({ origin: string }),
  generate: object({ request: playgroundRequest }),
  stopGenerating: object({ requestId: count }),
  browseAdapter: nothing,
};
