/** @file rungs.json of a sweep with halving: which runs were compared after which step, and which of them were left. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { t } from '../l10n/text.js';
import { count, list, number, object, recordOf, string } from '../protocol/guard.js';
import { isOver } from '../protocol/runs.js';
import { readMetrics } from '../runs/metricsFile.js';
import { isBusy, stopWaiting } from '../runs/queue/queue.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import { rungSteps, survivors } from './halving.js';
import type { RunOfSweep, SweepFolder } from './sweepFolder.js';

export interface DecidedRung {
  readonly step: number;
  /** Held-out losses after this step, by the run's folder. */
  readonly losses: Readonly<Record<string, number>>;
  /** The runs that did not go on. */
  readonly left: readonly string[];
}

const decidedRungs = list(object<DecidedRung>({ step: count, losses: recordOf(number), left: list(string) }));

export function readRungs({ rungsPath }: SweepFolder): readonly DecidedRung[] {
  if (!existsSync(rungsPath)) return [];
  const json = readJsonFile(rungsPath);
  if (decidedRungs(json) && json.every(({ left, losses }) => left.every((run) => Object.hasOwn(losses, run)))) return json;
  throw new UserError('file-corrupt', t`${rungsPath} is damaged: remove it, and the runs are compared again.`);
}

/** Empty without halving, and until a run has been prepared, since the data decides how many steps there are. */
export function plannedRungs({ sweep }: SweepFolder, runs: readonly RunOfSweep[]): number[] {
  const totalSteps = runs.map(({ directory }) => directory.readState().totalSteps).find((steps) => steps > 0);
  return sweep.halving && totalSteps ? rungSteps(sweep.runs.length, totalSteps, sweep.halving.eta) : [];
}

/**
 * Decides the rungs that all runs still in the race have reached, and takes those that are left out of the queue. May be called at
 * any time, and again after a process was killed in the middle of it.
 */
export function decideRungs(folder: SweepFolder): void {
  if (!folder.sweep.halving) return;
  const runs = folder.runs();
  const decided = [...readRungs(folder)];
  for (const step of plannedRungs(folder, runs).slice(decided.length)) {
    const left = new Set(decided.flatMap((rung) => rung.left));
    const racing = runs.filter(({ folder }) => !left.has(folder));
    if (racing.some((run) => isOnItsWay(folder, run, step))) break;
    decided.push(decide(racing, step, folder.sweep.halving.eta));
    writeFileAtomically(folder.rungsPath, `${JSON.stringify(decided, null, 2)}\n`);
  }
  for (const rung of decided) for (const run of runs) if (rung.left.includes(run.folder)) leave(folder, run, rung);
}

/** The step after which a run is to be compared next; null if it may be trained to its end. */
export function nextRung(folder: SweepFolder, runFolder: string, totalSteps: number): number | null {
  const { sweep } = folder;
  const run = folder.runs().find(({ directory }) => directory.path === resolve(runFolder));
  if (!run || !sweep.halving || !isInRace(folder, run)) return null;
  const decided = readRungs(folder);
  if (decided.some(({ left }) => left.includes(run.folder))) return null;
  const { step } = run.directory.readState();
  const open = rungSteps(sweep.runs.length, totalSteps, sweep.halving.eta).slice(decided.length);
  return open.find((rung) => rung > step) ?? null;
}

/** Whoever resumes a run wants it trained to its end: it has entered the queue anew, or left it. */
function isInRace({ sweep }: SweepFolder, { directory }: RunOfSweep): boolean {
  return directory.readState().queuedAt === sweep.createdAt;
}

function isOnItsWay(folder: SweepFolder, run: RunOfSweep, step: number): boolean {
  const state = run.directory.readState();
  return state.step < step && !isOver(state.status) && isInRace(folder, run);
}

/** Runs that ended before are not compared. Without held-out data, nothing is, and all go on. */
function decide(racing: readonly RunOfSweep[], step: number, eta: number): DecidedRung {
  const losses = racing.flatMap(({ folder, directory }) => {
    const loss = heldOutLossAt(directory, step);
    return loss === undefined ? [] : [[folder, loss] as const];
  });
  const going = new Set(survivors(losses, eta));
  return {
    step,
    losses: Object.fromEntries(losses),
    left: losses.map(([folder]) => folder).filter((folder) => !going.has(folder)),
  };
}

export function heldOutLossAt({ metricsPath }: RunDirectory, step: number): number | undefined {
  for (const metric of readMetrics(metricsPath)) if ('eval_loss' in metric && metric.step === step) return metric.eval_loss;
  return undefined;
}

/** A run that was resumed since is left alone, and so is one that someone works on. */
function leave(folder: SweepFolder, run: RunOfSweep, { step, losses, left }: DecidedRung): void {
  if (run.directory.readState().step !== step || !isInRace(folder, run)) return;
  const [loss, compared] = [losses[run.folder]!.toFixed(4), Object.keys(losses).length];
  try {
    stopWaiting(
      run.directory,
      t`Not trained further: after step ${step}, its held-out loss of ${loss} was not among the best ${compared - left.length} of ${compared}. Resume trains it to its end.`,
    );
  } catch (error) {
    if (!isBusy(error)) throw error;
  }
}
