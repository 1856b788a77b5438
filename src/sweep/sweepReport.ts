import { existsSync } from 'node:fs';
import { pairedDifference } from '../analysis/pairedDifference.js';
import type { CompletionScores } from '../protocol/completionReport.js';
import type { LossDifference, SweepReport, SweepRow } from '../protocol/sweep.js';
import { isOver } from '../protocol/runs.js';
import { latestReport } from '../evaluation/evaluationFolder.js';
import { learnsFromCode } from '../evaluation/sources.js';
import { readFirstEvalLoss, readLastStep } from '../runs/metricsFile.js';
import { readLabels } from '../runs/runLabels.js';
import { meanLossOf, readHeldOut, type HeldOutLosses } from './heldOut.js';
import { recommend } from './recommend.js';
import { heldOutLossAt, plannedRungs, readRungs, type DecidedRung } from './rungs.js';
import { SweepFolder, type RunOfSweep } from './sweepFolder.js';

/** How a sweep stands, from its files alone. Throws UserError if they are damaged, and if none of its runs is left. */
export function sweepReport(sweepFolder: string): SweepReport {
  const folder = SweepFolder.open(sweepFolder);
  const { sweep, path } = folder;
  const runs = folder.runs();
  const rungs = plannedRungs(folder, runs);
  const measured = runs.map(({ directory }) => readHeldOut(directory.path));
  const toBest = differencesToBest(measured);
  const completion = completionScores(path);
  const decided = readRungs(folder);
  const rows = runs.map((run, index) => ({
    ...rowOf(run, measured[index]!, decided, rungs),
    toBest: toBest[index]!,
    completion: completion.get(run.folder) ?? null,
  }));
  return {
    sweepId: path,
    name: sweep.name,
    model: sweep.config.model,
    dataPath: sweep.config.data.path,
    settings: Object.keys(sweep.parameters),
    rungs,
    isComplete: rows.every(({ status }) => isOver(status)),
    baseLoss: baseLossOf(folder, runs),
    isOfCode: runs.some(({ directory }) => learnsFromCode(directory)),
    rows,
    recommendation: recommend(rows),
  };
}

function rowOf(
  { settings, folder, directory }: RunOfSweep,
  measured: HeldOutLosses | null,
  decided: readonly DecidedRung[],
  rungs: readonly number[],
): Omit<SweepRow, 'toBest' | 'completion'> {
  const state = directory.readState();
  const last = readLastStep(directory.metricsPath);
  const leftAfter = decided.find(({ left }) => left.includes(folder))?.step;
  const atRungs = decided.flatMap(({ losses }) => losses[folder] ?? []);
  const waitingLoss = rungs.includes(state.step) ? heldOutLossAt(directory, state.step) : undefined;
  const soFar = [state.bestEvalLoss, ...atRungs, waitingLoss].filter((loss) => typeof loss === 'number');
  return {
    runId: directory.path,
    name: readLabels(directory.path).name ?? folder,
    settings,
    status: state.status,
    step: state.step,
    totalSteps: state.totalSteps,
    leftAtStep: state.status === 'stopped' && state.step === leftAfter ? leftAfter : null,
    heldOutLoss: measured ? meanLossOf(measured) : soFar.length > 0 ? Math.min(...soFar) : null,
    trainableParameters: state.trainableParameters,
    seconds: last?.elapsed_seconds ?? null,
    peakMemoryBytes: last?.peak_memory_bytes ?? null,
    tokensPerSecond: last && last.elapsed_seconds > 0 ? last.tokens / last.elapsed_seconds : null,
  };
}

/** Only of runs that were measured on the same data as the best one. */
function differencesToBest(measured: readonly (HeldOutLosses | null)[]): readonly (LossDifference | null)[] {
  const known = measured.filter((each) => each !== null);
  if (known.length === 0) return measured.map(() => null);
  const best = known.reduce((best, each) => (meanLossOf(each) < meanLossOf(best) ? each : best));
  const isSameData = (each: HeldOutLosses) =>
    each.data === best.data && each.losses.every(({ labelTokens }, index) => labelTokens === best.losses[index]?.labelTokens);
  return measured.map((each) => (each && isSameData(each) ? pairedDifference(best.losses, each.losses) : null));
}

/** As measured beside the runs or, until then, by the first run that has begun. */
function baseLossOf({ path }: SweepFolder, runs: readonly RunOfSweep[]): number | null {
  const measured = readHeldOut(path);
  if (measured) return meanLossOf(measured);
  for (const { directory } of runs) {
    const first = existsSync(directory.metricsPath) ? readFirstEvalLoss(directory.metricsPath) : undefined;
    if (first !== undefined) return first;
  }
  return null;
}

/** By the run's folder, which its arm is named after. */
function completionScores(path: string): ReadonlyMap<string, CompletionScores> {
  return new Map(latestReport(path)?.arms.map(({ name, scores }) => [name, scores]) ?? []);
}
