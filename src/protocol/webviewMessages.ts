/** @file Run-time checks of what host and webviews post to each other; a message of another shape is dropped. */
import type {
  AdapterInfo,
  ConfigCheck,
  MemoryRemedy,
  ModelInfo,
  ModelShape,
  RunEstimate,
  RunEvent,
  RunSummary,
  RunsSnapshot,
} from './backend.js';
import { dataLook, examplePage, exampleQuery, preflightReport } from './dataShapes.js';
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
  optional,
  recordOf,
  string,
  type Shape,
} from './shape.js';
import { answer, batch, batchAnswer, generateSummary, playgroundRequest, prefill, side } from './playgroundMessages.js';
import type { ConfigProblem } from './validateRunConfig.js';
import type {
  ConfigDocument,
  FetchState,
  ConfigEdit,
  DataState,
  FromWebview,
  PreflightState,
  ToWebview,
  WebviewStates,
  WebviewView,
} from './webview.js';

/** A message by its type, without the `type` key. */
type Body<Message extends { type: string }, Type extends Message['type']> = Omit<Extract<Message, { type: Type }>, 'type'>;
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
  memory_bytes: optional(number),
  cpu_percent: optional(number),
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
  warmup_steps: nullable(count),
  warmup_ratio: number,
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
  sample_prompts: count,
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
  object<Exclude<ConfigDocument, { kind: 'parsed' }>>({ kind: oneOf('broken', 'missing'), message: string, name: string }),
);
const pair: Shape<readonly [number, number]> = (value): value is readonly [number, number] =>
  list(count)(value) && value.length === 2;
const modelShape: Shape<ModelShape> = object({
  model: string,
  layerCount: count,
  totalParameters: count,
  linears: recordOf(pair),
});

const data: Shape<DataState> = either(
  object<{ kind: 'none' | 'reading' }>({ kind: oneOf('none', 'reading') }) as Shape<
    { readonly kind: 'none' } | { readonly kind: 'reading' }
  >,
  object<Extract<DataState, { kind: 'ready' }>>({ kind: oneOf('ready'), look: dataLook }),
  object<Extract<DataState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
);

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

const fetching: Shape<FetchState> = either(
  object<Extract<FetchState, { kind: 'none' }>>({ kind: oneOf('none') }),
  object<Extract<FetchState, { kind: 'fetching' }>>({ kind: oneOf('fetching'), done: count, total: count }),
  object<Extract<FetchState, { kind: 'failed' }>>({ kind: oneOf('failed'), message: string }),
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
  modifiedAt: number,
});

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
    fetching,
  }),
  monitor: object({ runs: runsSnapshot, trusted: boolean }),
  playground: object({
    opening: count,
    models: list(modelInfo),
    adapters: list(adapterInfo),
    prefill: nullable(prefill),
    history: list(string),
    answers: list(answer),
    batch: nullable(batch),
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
  examples: object({ page: examplePage }),
  examplesFailed: object({ message: string }),
  preflight: object({ preflight }),
  shownRun: object({ runId: nullable(string) }),
  startFailed: object({ message: string }),
  fetching: object({ fetching }),
  choices: object({ models: list(modelInfo), adapters: list(adapterInfo) }),
  prefill: object({ prefill }),
  adapterChosen: object({ side, adapter: string }),
  history: object({ history: list(string) }),
  token: object({ requestId: count, side, text: string }),
  generated: object({ requestId: count, side, summary: generateSummary }),
  generateFailed: object({ requestId: count, side, message: string }),
  batch: object({ batch: nullable(batch) }),
  batchAnswer: object({ requestId: count, row: count, side, answer: batchAnswer }),
  batchEnded: object({ requestId: count }),
};

const configEdit: Shape<ConfigEdit> = object<Required<ConfigEdit>>({ path: list(string), value: anything });
const nothing = object<Record<never, never>>({});

const fromWebview: Bodies<FromWebview> = {
  ready: nothing,
  copy: object({ text: string }),
  follow: object({ runIds: list(string) }),
  runCommand: object({
    runId: string,
    command: oneOf('pause', 'resume', 'stop', 'open', 'reveal', 'showLog', 'playground', 'completion'),
  }),
  export: object({ format: oneOf('png', 'csv'), name: string, content: string }),
  fineTune: nothing,
  manageTrust: nothing,
  edit: object({ edit: count, edits: list(configEdit) }),
  browse: object({ setting: oneOf('model', 'data.path', 'data.eval_path', 'lora.init_from') }),
  openJson: nothing,
  resetDocument: nothing,
  start: nothing,
  leaveRun: nothing,
  fetchSmallModel: nothing,
  cancelFetch: nothing,
  useSampleData: nothing,
  readExamples: object({ query: exampleQuery }),
  runPreflight: nothing,
  cancelPreflight: nothing,
  openOrigin: object({ origin: string }),
  generate: object({ request: playgroundRequest, prompt: string }),
  generateFile: object({ request: playgroundRequest }),
  stopGenerating: object({ requestId: count }),
  saveBatch: nothing,
  closeBatch: nothing,
  clearHistory: nothing,
  browseAdapter: object({ side }),
};
