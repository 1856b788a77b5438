/** @file The loss of finished runs on the data that the sweep holds out, so that they can be compared example by example. */
import { existsSync } from 'node:fs';
import { batchLosses } from '../analysis/batchLosses.js';
import type { Pace } from '../analysis/pace.js';
import { paddedLength, type BatchPlan } from '../core/data/batches.js';
import { trainingData, type Dataset } from '../core/data/dataset.js';
import type { FittedExample } from '../core/data/report.js';
import { UserError } from '../core/errors.js';
import { withZeroMoments } from '../core/train/loraInit.js';
import type { BatchLoss, TrainableState } from '../core/train/stepRunner.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { writeFileAtomically } from '../files/atomicWrite.js';
import { readJsonFile } from '../files/jsonFile.js';
import { loadModelForData, type LoadedModel } from '../files/loadModel.js';
import { t } from '../l10n/text.js';
import { count, list, number, object, string, type Guard } from '../protocol/guard.js';
import { evaluationEngine } from '../runs/evaluationData.js';
import { readDataset } from '../runs/runData.js';
import type { RunDirectory } from '../runs/runDirectory.js';
import { disposeQuietly } from '../runtime/disposal.js';
import { createEvaluator } from '../runtime/engine.js';
import { heldOutPath, type SweepFolder } from './sweepFolder.js';

/** held-out.json of a finished run and, for the base, of the sweep. */
export interface HeldOutLosses {
  /** Changes with the data; losses on different data are not compared. */
  readonly data: string;
  /** One for each held-out example, or for each file if these have several, because the windows of a file are alike. */
  readonly losses: readonly BatchLoss[];
}

const heldOutLosses: Guard<HeldOutLosses> = object({
  data: string,
  losses: list(object<BatchLoss>({ lossSum: number, labelTokens: count })),
});

/** Null if there are none yet. */
export function readHeldOut(folder: string): HeldOutLosses | null {
  const path = heldOutPath(folder);
  if (!existsSync(path)) return null;
  const json = readJsonFile(path);
  if (heldOutLosses(json) && json.losses.some(({ labelTokens }) => labelTokens > 0)) return json;
  throw new UserError('file-corrupt', t`${path} is damaged: remove it, and the run is measured again.`);
}

export function meanLossOf({ losses }: HeldOutLosses): number {
  const tokens = losses.reduce((sum, { labelTokens }) => sum + labelTokens, 0);
  return losses.reduce((sum, { lossSum }) => sum + lossSum, 0) / tokens;
}

/**
 * Measures the best adapters of the finished runs that have not been measured, and the base. What was measured before an interruption
 * is kept. Throws UserError for models, data and adapters that cannot be read any more, after measuring what can be.
 */
export async function measureFinished(folder: SweepFolder, pace: Pace): Promise<void> {
  const runs = unmeasured(folder);
  if (runs.length === 0) return;
  const { config } = folder.sweep;
  const model = loadModelForData(config.model);
  try {
    const { dataset } = await readDataset(model, config);
    if (dataset.evaluation.length === 0) return;
    const failures: UserError[] = [];
    for (const run of runs) {
      await measure(folder, run, model, dataset, pace).catch((error: unknown) => {
        if (!(error instanceof UserError)) throw error;
        failures.push(error);
      });
    }
    if (failures[0]) throw failures[0];
  } finally {
    model.weights.close();
  }
}

/** With the base, which is measured with the adapter of any run. */
function unmeasured(folder: SweepFolder): readonly RunDirectory[] {
  const directories = folder.runs().map(({ directory }) => directory);
  const finished = directories.filter((run) => run.readState().status === 'finished');
  const without = finished.filter(({ path }) => !existsSync(heldOutPath(path)));
  return without.length > 0 || existsSync(heldOutPath(folder.path)) ? without : finished.slice(0, 1);
}

async function measure(
  { path, sweep: { config } }: SweepFolder,
  run: RunDirectory,
  model: LoadedModel,
  { evaluation, fingerprint: data }: Dataset,
  pace: Pace,
): Promise<void> {
  const adapter = readAdapterFor(model.weights.config, bestAdapterOf(run));
  const longest = Math.max(...evaluation.map(({ inputIds }) => inputIds.length));
  const evaluator = await createEvaluator({
    weights: model.weights,
    adapter,
    engine: evaluationEngine(config.engine.device, config.engine.threads),
    batch: { batchSize: 1, sequenceLength: paddedLength(longest, config.data.max_seq_length) },
  });
  const batches = oneByOne(evaluation, config.data.max_seq_length, model);
  const writeLosses = async (to: string) => {
    const losses = await batchLosses(evaluator, batches, (done) => pace(done, batches.count));
    const measured: HeldOutLosses = { data, losses: byOrigin(evaluation, losses) };
    writeFileAtomically(heldOutPath(to), `${JSON.stringify(measured)}\n`);
  };
  try {
    await writeLosses(run.path);
    if (existsSync(heldOutPath(path))) return;
    await evaluator.importState(withoutAdapter(adapter));
    await writeLosses(path);
  } finally {
    await disposeQuietly(evaluator);
  }
}

/** The one with the lowest held-out loss. */
export function bestAdapterOf({ adapterPath, bestAdapterPath }: RunDirectory): string {
  return existsSync(bestAdapterPath) ? bestAdapterPath : adapterPath;
}

function oneByOne(evaluation: readonly FittedExample[], maxSequenceLength: number, { tokenizer }: LoadedModel): BatchPlan {
  const options = { batchSize: 1, maxSequenceLength, packing: false, shuffle: false, seed: 0, padId: tokenizer.padId };
  return trainingData({ training: [], evaluation }, options).evaluation!;
}

/** Zero matrices change nothing, so this is the base. */
function withoutAdapter({ parameters }: Pick<TrainableState, 'parameters'>): TrainableState {
  const zeros = [...parameters].map(([name, { shape, data }]) => [name, { shape, data: data.slice().fill(0) }] as const);
  return withZeroMoments(new Map(zeros));
}

/** The windows of a single text stay apart. */
function byOrigin(examples: readonly FittedExample[], losses: readonly BatchLoss[]): readonly BatchLoss[] {
  const sums = new Map<string, BatchLoss>();
  for (const [index, { origin }] of examples.entries()) {
    const { lossSum = 0, labelTokens = 0 } = sums.get(origin) ?? {};
    const loss = losses[index]!;
    sums.set(origin, { lossSum: lossSum + loss.lossSum, labelTokens: labelTokens + loss.labelTokens });
  }
  return sums.size > 1 ? [...sums.values()] : losses;
}
