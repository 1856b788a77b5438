import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import type { Progress } from '../core/train/loop.js';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { reading } from '../files/reading.js';
import type { Metric, StepMetric } from '../protocol/run.js';
import { appendLine, lineOf, LinesTail, parseLines, readLines, type LineFormat } from './jsonLines.js';

/** metrics.jsonl: one metric per line, appended by the trainer, followed by whatever draws it. */
export function appendMetric(path: string, metric: Metric): void {
  appendLine(path, metric);
}

/** Drops metrics logged by a process that died before saving them, and a half-written last line. */
export function cutMetricsAfter(path: string, { step, evaluatedStep }: Pick<Progress, 'step' | 'evaluatedStep'>): void {
  if (!existsSync(path)) return;
  const isSaved = (metric: Metric) => metric.step <= ('eval_loss' in metric ? (evaluatedStep ?? -1) : step);
  writeFileAtomically(path, readMetrics(path).filter(isSaved).map(lineOf).join(''));
}

/** `chunkBytes` limits how much is read at once. */
export function metricsTail(path: string, chunkBytes?: number): LinesTail<Metric> {
  return new LinesTail(path, metricLine, chunkBytes);
}

/** All metrics at once. */
export function readMetrics(path: string): Metric[] {
  return readLines(path, metricLine);
}

/** The held-out loss before the first step: the first line, if the run holds data out. */
export function readFirstEvalLoss(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const file = reading(path, () => openSync(path, 'r'));
  try {
    const start = Buffer.alloc(maxLineCharacters);
    const [first] = parseLines(start.toString('utf8', 0, readSync(file, start, 0, start.length, 0)), metricLine);
    return first && 'eval_loss' in first && first.step === 0 ? first.eval_loss : undefined;
  } finally {
    closeSync(file);
  }
}

/** The last training step in the file; reads only the end of the file. */
export function readLastStep(path: string): StepMetric | undefined {
  if (!existsSync(path)) return undefined;
  const file = reading(path, () => openSync(path, 'r'));
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, 4096));
    const length = readSync(file, end, 0, end.length, size - end.length);
    return parseLines(end.toString('utf8', 0, length), metricLine).findLast((metric) => 'loss' in metric);
  } finally {
    closeSync(file);
  }
}

/** A metric takes about 200 characters. */
const maxLineCharacters = 4096;

const stepFields = ['loss', 'learning_rate', 'grad_norm', 'tokens', 'tokens_per_second', 'elapsed_seconds', 'peak_memory_bytes'];
const optionalFields = ['memory_bytes', 'cpu_percent'];

const metricLine: LineFormat<Metric> = { maxCharacters: maxLineCharacters, parse: parseMetric };

function parseMetric(value: unknown): Metric | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const has = (name: string) => typeof fields[name] === 'number';
  const isStep = () => stepFields.every(has) && optionalFields.every((name) => !(name in fields) || has(name));
  return has('step') && (has('eval_loss') || isStep()) ? (value as Metric) : undefined;
}
