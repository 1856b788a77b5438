/** @file rungs.json of a sweep with halving: which runs were compared after which step, and which of them were left. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { t } from '../l10n/text.js';
import { count, list, number, object, recordOf, string } from '../protocol/guard.js';
import { rungSteps, survivors } from '../protocol/halving.js';
import { isOver } from '../protocol/runs.js';
import { readMetrics } from '../runs/metricsFile.js';
import { stopWaiting, waitTogether } from '../runs/queue/queue.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import type { RunOfSweep, SweepFolder } from './sweepFolder.js';

export interface DecidedRung {
  readonly step: number;
  readonly decidedAt: string;
  /** Held-out losses after this step, by the run's folder. */
  readonly losses: Readonly<Record<string, number>>;
  /** The runs that did not go on. */
  readonly left: readonly string[];
}

const decidedRungs = list(object<DecidedRung>({ step: count, decidedAt: string, losses: recordOf(number), left: list(string) }));

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
  const racing = () => {
    const left = new Set(decided.flatMap((rung) => rung.left));
    return runs.filter((run) => !left.has(run.folder));
  };
  for (const step of plannedRungs(folder, runs).slice(decided.length)) {
    if (racing().some(({ directory }) => isOnItsWay(directory, step))) break;
    decided.push(decide(racing(), step, folder.sweep.halving.eta));
    writeFileAtomically(folder.rungsPath, `${JSON.stringify(decided, null, 2)}\n`);
  }
  for (const rung of decided) {
    for (const run of runs) if (rung.left.includes(run.folder) && !isResumed(run.directory, rung)) leave(run, rung);
  }
  // Some may have been resumed one by one, and the first of them must not run ahead of the others.
  waitTogether(racing().map(({ directory }) => directory));
}

/** The step after which a run is to be compared next, or which it is not to leave any more; null if it is trained to its end. */
export function nextRung(folder: SweepFolder, runFolder: string, totalSteps: number): number | null {
  const { sweep } = folder;
  const run = folder.runs().find(({ directory }) => directory.path === resolve(runFolder));
  if (!run || !sweep.halving) return null;
  const decided = readRungs(folder);
  const { step } = run.directory.readState();
  const left = decided.find(({ left }) => left.includes(run.folder));
  if (left) return isResumed(run.directory, left) ? null : step;
  const open = rungSteps(sweep.runs.length, totalSteps, sweep.halving.eta).slice(decided.length);
  return open.find((rung) => rung > step) ?? null;
}

/** Whoever resumes a run that was left wants it trained to its end. */
function isResumed(run: RunDirectory, { decidedAt }: DecidedRung): boolean {
  const { queuedAt } = run.readState();
  return queuedAt === null || queuedAt > decidedAt;
}

function isOnItsWay(run: RunDirectory, step: number): boolean {
  const state = run.readState();
  return state.step < step && !isOver(state.status);
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
    decidedAt: new Date().toISOString(),
    losses: Object.fromEntries(losses),
    left: losses.map(([folder]) => folder).filter((folder) => !going.has(folder)),
  };
}

export function heldOutLossAt({ metricsPath }: RunDirectory, step: number): number | undefined {
  for (const metric of readMetrics(metricsPath)) if ('eval_loss' in metric && metric.step === step) return metric.eval_loss;
  return undefined;
}

function leave({ folder, directory }: RunOfSweep, { step, losses, left }: DecidedRung): void {
  const [loss, compared] = [losses[folder]!.toFixed(4), Object.keys(losses).length];
  stopWaiting(
    directory,
    t`Not trained further: after step ${step}, its held-out loss of ${loss} was not among the best ${compared - left.length} of ${compared}. Resume trains it to its end.`,
  );
}
