import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ifReadable } from '../files/reading.js';
import type { RunEvent, RunsSnapshot, RunSummary } from '../protocol/backend.js';
import { isLive, isOver, newestRunsFirst } from '../protocol/runs.js';
import { readFirstEvalLoss, readLastStep } from '../runs/metricsFile.js';
import { runName } from '../protocol/runName.js';
import { RunDirectory } from '../runs/runDirectory.js';
import { runFoldersIn, type RunFolder } from '../runs/runFolders.js';
import { labelsPath, readLabels } from '../runs/runLabels.js';

interface KnownRun {
  /** The versions of the state and label files that the summary was made from. */
  readonly version: string;
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
  /** Folders that are or may become runs, at the last poll. */
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

  /** `afterPoll` is called with all known runs, whether or not they have changed. */
  start(afterPoll: (runs: readonly RunSummary[]) => void): void {
    this.timer ??= setInterval(() => {
      this.poll();
      afterPoll(this.summaries);
    }, this.intervalMs);
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

  private isUnderWay(runId: string): boolean {
    const run = this.known.get(runId);
    return run !== undefined && !isOver(run.summary.state.status);
  }

  has(runId: string): boolean {
    this.poll();
    return this.known.has(runId);
  }

  snapshot(): RunsSnapshot {
    this.poll();
    return { runs: newestRunsFirst(this.summaries), throughSeq: this.seq };
  }

  get(runId: string): RunSummary | undefined {
    return this.known.get(runId)?.summary;
  }

  private get summaries(): RunSummary[] {
    return [...this.known.values()].map(({ summary }) => summary);
  }

  /**
   * Publishes what has changed. New, live, waiting and attended runs are checked at every poll; idle runs, of which there may be a
   * thousand, take turns.
   */
  poll(): void {
    const found = this.folders.flatMap((folder) => runFoldersIn(folder, (path) => this.known.has(path)));
    const folderOf = new Map(found.map((folder) => [folder.path, folder]));
    const present = new Set(folderOf.keys());
    for (const runId of [...this.known.keys()]) {
      if (!present.has(runId)) this.forget(runId);
    }
    const isAtRest = (runId: string) => this.seen.has(runId) && !this.isUnderWay(runId) && !this.attended.has(runId);
    const atRest = [...present].filter(isAtRest);
    const wanted = [...present].filter((runId) => !isAtRest(runId));
    this.seen = present;
    for (const runId of [...wanted, ...this.turn(atRest)]) this.lookAt(folderOf.get(runId)!);
  }

  private turn(atRest: readonly string[]): string[] {
    const first = this.nextAtRest < atRest.length ? this.nextAtRest : 0;
    this.nextAtRest = first + this.restingPerPoll;
    return atRest.slice(first, this.nextAtRest);
  }

  private lookAt({ path: runId, sweepId }: RunFolder): void {
    const before = this.known.get(runId);
    const version = versionOf(runId);
    if (version === undefined) return this.forget(runId);
    // A live run is read even if state.json is unchanged: its process may have died, and its metrics grow.
    if (before && before.version === version && !isLive(before.summary.state.status)) return;
    const summary = summarise(runId, sweepId);
    if (!summary) return this.forget(runId);
    const printed = JSON.stringify(summary);
    this.known.set(runId, { version, summary, printed });
    if (printed !== before?.printed) this.tell({ kind: 'changed', run: summary });
  }

  private forget(runId: string): void {
    if (this.known.delete(runId)) this.tell({ kind: 'removed', runId });
  }

  private tell(event: Event): void {
    this.publish({ ...event, seq: ++this.seq });
  }
}

/**
 * What changes whenever the state or the labels are written; undefined if there is no run. A time alone would not do: file
 * systems stamp files by a clock that ticks every few milliseconds, and two states may be written within one tick. Both files
 * are replaced as a whole, so a new one has an inode of its own.
 */
function versionOf(runId: string): string | undefined {
  const version = (path: string) =>
    ifReadable(() => {
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat && `${stat.mtimeMs}/${stat.ino}/${stat.size}`;
    });
  const state = version(join(runId, 'state.json'));
  return state && `${state} ${version(labelsPath(runId))}`;
}

/** Returns undefined if the folder is not a run or is damaged. */
function summarise(runId: string, sweepId: string | null): RunSummary | undefined {
  return ifReadable(() => {
    const run = RunDirectory.open(runId);
    const config = run.readConfig();
    const labels = readLabels(runId);
    return {
      runId,
      sweepId,
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
