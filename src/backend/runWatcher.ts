import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import type { RunEvent, RunsSnapshot, RunSummary } from '../protocol/backend.js';
import { isLive, newestRunsFirst } from '../protocol/runs.js';
import { readFirstEvalLoss, readLastStep } from '../runs/metricsFile.js';
import { runName } from '../protocol/runName.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { labelsPath, readLabels } from '../runs/runLabels.js';

interface KnownRun {
  /** Of the files that say how the run stands and what it is called, when the summary was made. */
  readonly modified: string;
  readonly summary: RunSummary;
  readonly printed: string;
}

type Event = RunEvent extends infer One ? (One extends unknown ? Omit<One, 'seq'> : never) : never;

/**
 * Looks at the run directories and tells what changed. It polls: run folders may lie on file systems that report nothing, and
 * that a trainer died is written nowhere.
 */
export class RunWatcher {
  private readonly known = new Map<string, KnownRun>();
  /** Folders below those for runs at the last look. */
  private seen: ReadonlySet<string> = new Set();
  /** Runs that this window acted on: what comes of it is wanted at once. */
  private readonly attended = new Set<string>();
  /** Whose turn it is among the folders at rest. */
  private nextAtRest = 0;
  private seq = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private folders: readonly string[],
    private readonly publish: (event: RunEvent) => void,
    private readonly intervalMs = 500,
    private readonly restingPerPoll = 100,
  ) {}

  start(): void {
    this.timer ??= setInterval(() => this.poll(), this.intervalMs);
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  setFolders(folders: readonly string[]): void {
    this.folders = folders;
    this.poll();
  }

  /** Looks at the run now, and from now on at every look. */
  attend(runId: string): void {
    this.attended.add(runId);
    this.poll();
  }

  isLive(runId: string): boolean {
    const run = this.known.get(runId);
    return run !== undefined && isLive(run.summary.state.status);
  }

  has(runId: string): boolean {
    this.poll();
    return this.known.has(runId);
  }

  snapshot(): RunsSnapshot {
    this.poll();
    const runs = newestRunsFirst([...this.known.values()].map(({ summary }) => summary));
    return { runs, throughSeq: this.seq };
  }

  /**
   * Publishes what is another than before: at every look of new runs, live ones and those that are attended to; of those at rest, of
   * which there may be a thousand, when their turn comes.
   */
  poll(): void {
    const present = new Set(this.folders.flatMap(foldersIn));
    for (const runId of [...this.known.keys()]) {
      if (!present.has(runId)) this.forget(runId);
    }
    const isAtRest = (runId: string) => this.seen.has(runId) && !this.isLive(runId) && !this.attended.has(runId);
    const atRest = [...present].filter(isAtRest);
    const wanted = [...present].filter((runId) => !isAtRest(runId));
    this.seen = present;
    for (const runId of [...wanted, ...this.turn(atRest)]) this.lookAt(runId);
  }

  private turn(atRest: readonly string[]): string[] {
    const first = this.nextAtRest < atRest.length ? this.nextAtRest : 0;
    this.nextAtRest = first + this.restingPerPoll;
    return atRest.slice(first, this.nextAtRest);
  }

  private lookAt(runId: string): void {
    const before = this.known.get(runId);
    const modified = modifiedAt(runId);
    if (modified === undefined) return this.forget(runId);
    // The process of a live run may be gone, and its metrics grow, though state.json stays.
    if (before && before.modified === modified && !isLive(before.summary.state.status)) return;
    const summary = summarise(runId);
    if (!summary) return this.forget(runId);
    const printed = JSON.stringify(summary);
    this.known.set(runId, { modified, summary, printed });
    if (printed !== before?.printed) this.tell({ kind: 'changed', run: summary });
  }

  private forget(runId: string): void {
    if (this.known.delete(runId)) this.tell({ kind: 'removed', runId });
  }

  private tell(event: Event): void {
    this.publish({ ...event, seq: ++this.seq });
  }
}

function foldersIn(folder: string): string[] {
  const entries = ifReadable(() => readdirSync(folder, { withFileTypes: true })) ?? [];
  return entries.filter((entry) => entry.isDirectory()).map((entry) => resolve(folder, entry.name));
}

/** undefined where there is no run. */
function modifiedAt(runId: string): string | undefined {
  const time = (path: string) => ifReadable(() => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  const state = time(join(runId, 'state.json'));
  return state === undefined ? undefined : `${state} ${time(labelsPath(runId))}`;
}

/** undefined for a folder that is no run, or a damaged one. */
function summarise(runId: string): RunSummary | undefined {
  return ifReadable(() => {
    const run = RunDirectory.open(runId);
    const config = run.readConfig();
    const labels = readLabels(runId);
    return {
      runId,
      name: labels.name ?? runName(config),
      labels,
      model: config.model,
      dataPath: config.data.path,
      rank: config.lora.r,
      state: run.readState(),
      firstEvalLoss: readFirstEvalLoss(run.metricsPath) ?? null,
      lastStep: readLastStep(run.metricsPath) ?? null,
      hasAdapter: existsSync(join(run.adapterPath, 'adapter_config.json')),
    };
  });
}

/** undefined for what is not there, not ours to read, or damaged: no reason to stop looking at the rest. */
function ifReadable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error)) return undefined;
    throw error;
  }
}
