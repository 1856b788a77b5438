import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, type BigIntStats } from 'node:fs';
import type { Progress } from '../core/train/loop.js';
import { appendToFile, writeFileAtomically } from '../files/atomicWrite.js';
import { reading } from '../files/reading.js';
import type { Metric, StepMetric } from '../protocol/run.js';

/** metrics.jsonl: one metric a line, appended by the trainer, followed by whoever draws it. */
export function appendMetric(path: string, metric: Metric): void {
  appendToFile(path, `${JSON.stringify(metric)}\n`);
}

/** Drops what a process logged that died before saving it, and a half-written last line. */
export function cutMetricsAfter(path: string, { step, evaluatedStep }: Pick<Progress, 'step' | 'evaluatedStep'>): void {
  if (!existsSync(path)) return;
  const isSaved = (metric: Metric) => metric.step <= ('eval_loss' in metric ? (evaluatedStep ?? -1) : step);
  const kept = parseMetrics(reading(path, () => readFileSync(path, 'utf8'))).filter(isSaved);
  writeFileAtomically(path, kept.map((metric) => `${JSON.stringify(metric)}\n`).join(''));
}

export interface MetricsNews {
  /** True when the file was replaced (a resumed run): forget what was read before. */
  readonly replaced: boolean;
  readonly metrics: readonly Metric[];
  /** True when there is more to read at once. */
  readonly more: boolean;
}

/** Reads metrics.jsonl piece by piece from where the last call ended; a half-written last line waits for its end. */
export class MetricsTail {
  private offset = 0;
  private inode: bigint | undefined;

  constructor(
    private readonly path: string,
    private readonly chunkBytes = 1 << 20,
  ) {}

  read(): MetricsNews {
    if (!existsSync(this.path)) return { replaced: this.forget(), metrics: [], more: false };
    const file = reading(this.path, () => openSync(this.path, 'r'));
    try {
      const stats = fstatSync(file, { bigint: true });
      const replaced = this.noticeReplacement(stats);
      const chunk = Buffer.alloc(Math.min(this.chunkBytes, Number(stats.size) - this.offset));
      const length = readSync(file, chunk, 0, chunk.length, this.offset);
      // A line longer than a chunk is no metric: skip it rather than wait for its end for ever.
      const end = chunk.lastIndexOf(0x0a, length - 1) + 1 || (length === this.chunkBytes ? length : 0);
      this.offset += end;
      return {
        replaced,
        metrics: parseMetrics(chunk.toString('utf8', 0, end)),
        more: length === this.chunkBytes,
      };
    } finally {
      closeSync(file);
    }
  }

  private noticeReplacement(stats: BigIntStats): boolean {
    const replaced = (this.inode !== undefined && this.inode !== stats.ino) || stats.size < this.offset;
    if (replaced) this.forget();
    this.inode = stats.ino;
    return replaced;
  }

  private forget(): boolean {
    const hadRead = this.offset > 0;
    this.offset = 0;
    this.inode = undefined;
    return hadRead;
  }
}

/** All metrics at once. */
export function readMetrics(path: string): Metric[] {
  return existsSync(path) ? parseMetrics(reading(path, () => readFileSync(path, 'utf8'))) : [];
}

/** The held-out loss before the first step, which is the first line of a run that holds data out. */
export function readFirstEvalLoss(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const file = reading(path, () => openSync(path, 'r'));
  try {
    const start = Buffer.alloc(longestLine);
    const [first] = parseMetrics(start.toString('utf8', 0, readSync(file, start, 0, start.length, 0)));
    return first && 'eval_loss' in first && first.step === 0 ? first.eval_loss : undefined;
  } finally {
    closeSync(file);
  }
}

/** The last training step in the file; looks at its end only. */
export function readLastStep(path: string): StepMetric | undefined {
  if (!existsSync(path)) return undefined;
  const file = reading(path, () => openSync(path, 'r'));
  try {
    const { size } = fstatSync(file);
    const end = Buffer.alloc(Math.min(size, 4096));
    const length = readSync(file, end, 0, end.length, size - end.length);
    return parseMetrics(end.toString('utf8', 0, length)).findLast((metric) => 'loss' in metric);
  } finally {
    closeSync(file);
  }
}

/** Characters; a metric takes two hundred. */
const longestLine = 4096;

function parseMetrics(text: string): Metric[] {
  return text.split('\n').flatMap((line) => parseMetric(line) ?? []);
}

const stepFields = ['loss', 'learning_rate', 'grad_norm', 'tokens', 'tokens_per_second', 'elapsed_seconds', 'peak_memory_bytes'];
const optionalFields = ['memory_bytes', 'cpu_percent'];

/** undefined for a line that is no metric: blank, half-written, or from somewhere else. */
function parseMetric(line: string): Metric | undefined {
  if (line.length > longestLine) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = value as Record<string, unknown>;
  const has = (name: string) => typeof fields[name] === 'number';
  const isStep = () => stepFields.every(has) && optionalFields.every((name) => !(name in fields) || has(name));
  return has('step') && (has('eval_loss') || isStep()) ? (value as Metric) : undefined;
}
