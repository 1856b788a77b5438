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
  /** Modification times of the state and label files when the summary was made. */
  readonly modified: string;
  readonly summary: RunSummary;
  readonly printed: string;
}

type Event = RunEvent extends infer One ? (One extends unknown ? Omit<One, 'seq'> : never) : never;

/**
 * Polls the run directories and reports what changed. Polling is needed because run folders may be on file systems that send no
 * change notifications, and because a trainer's death is not recorded anywhere.
 */
export class RunWatcher {
  private readonly known = new Map<string, KnownRun>();
  /** Subfolders of the run folders at the last poll. */
  private seen: ReadonlySet<string> = new Set();
  /** Runs that this window acted on, whose changes should be reported at once. */
  private readonly attended = new Set<string>();
  /** Index of the idle folder to check next. */
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

  /** Checks the run now and at every poll from now on. */
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
   * Publishes what has changed. New, live and attended runs are checked at every poll; idle runs, of which there may be a
   * thousand, take turns.
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
    // A live run is read even if state.json is unchanged: its process may have died, and its metrics grow.
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

/** Returns undefined if there is no run. */
function modifiedAt(runId: string): string | undefined {
  const time = (path: string) => ifReadable(() => statSync(path, { throwIfNoEntry: false })?.mtimeMs);
  const state = time(join(runId, 'state.json'));
  return state === undefined ? undefined : `${state} ${time(labelsPath(runId))}`;
}

/** Returns undefined if the folder is not a run or is damaged. */
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

/** Returns undefined for anything missing, unreadable or damaged, which is no reason to stop checking the rest. */
function ifReadable<Result>(read: () => Result): Result | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError || (error instanceof Error && 'syscall' in error)) return undefined;
    throw error;
  }
}
