/** @file Run-time checks for run states, metrics and events. */
import type { RunEvent, RunsSnapshot, RunSummary } from './backend.js';
import { runStatuses, type EvalMetric, type RunLabels, type RunState, type Sample, type StepMetric } from './run.js';
import { boolean, count, either, list, nullable, number, object, oneOf, optional, string, type Guard } from './guard.js';

const stepMetric: Guard<StepMetric> = object({
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
const evalMetric: Guard<EvalMetric> = object({ step: count, eval_loss: number });
export const metric = either(stepMetric, evalMetric);
export const sample: Guard<Sample> = object({ step: count, prompt: string, expected: string, text: string });

const runState: Guard<RunState> = object({
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
  queuedAt: nullable(string),
  requeued: boolean,
  bestEvalLoss: nullable(number),
  bestStep: nullable(count),
  trainableParameters: count,
  message: nullable(string),
});
export const runSummary: Guard<RunSummary> = object({
  runId: string,
  sweepId: nullable(string),
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
export const runsSnapshot: Guard<RunsSnapshot> = object({ runs: list(runSummary), throughSeq: count });
export const runEvent: Guard<RunEvent> = either(
  object<Extract<RunEvent, { kind: 'changed' }>>({ seq: count, kind: oneOf('changed'), run: runSummary }),
  object<Extract<RunEvent, { kind: 'removed' }>>({ seq: count, kind: oneOf('removed'), runId: string }),
);
