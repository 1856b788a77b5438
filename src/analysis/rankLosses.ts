/** @file What a lower rank would cost, measured: the held-out loss of the adapter truncated to it by SVD. */
import { peftName } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import { withLowerRank } from '../core/adapters/weightedSum.js';
import type { BatchPlan } from '../core/data/batches.js';
import { trainingData } from '../core/data/dataset.js';
import { UserError } from '../core/errors.js';
import type { HostTensor } from '../core/formats/hostTensor.js';
import { withZeroMoments } from '../core/train/loraInit.js';
import type { BatchShape } from '../core/train/programs.js';
import type { BatchLoss } from '../core/train/stepRunner.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import { loadModelForData, type LoadedModel } from '../files/loadModel.js';
import { t } from '../l10n/text.js';
import type { RankLossReport, RankLossRequest } from '../protocol/spectrum.js';
import { largestBatch } from '../runs/derivedSettings.js';
import { evaluationEngine, readEvaluationData } from '../runs/evaluationData.js';
import { batchOptions, readDataset } from '../runs/runData.js';
import { runOfAdapter } from '../runs/runOfAdapter.js';
import { usualLengthFor } from '../runs/sequenceLength.js';
import { disposeQuietly } from '../runtime/disposal.js';
import { createEvaluator } from '../runtime/engine.js';
import type { EngineOptions } from '../runtime/engineOptions.js';
import { batchLosses } from './batchLosses.js';
import { pairedDifference } from './pairedDifference.js';
import type { Pace } from './pace.js';
import { rankLadder } from './rankLadder.js';

/**
 * Measures the adapter, its truncations to half the rank, a quarter, … 1, and the base, on the same data. The base is loaded once.
 * Throws UserError if there is no held-out data.
 */
export async function rankLosses(
  request: RankLossRequest,
  { device, threads }: Pick<EngineOptions, 'device' | 'threads'>,
  pace: Pace,
): Promise<RankLossReport> {
  const model = loadModelForData(request.model);
  try {
    const adapter = readAdapterFor(model.weights.config, request.adapter);
    const { batches, batch, examples } = await heldOut(model, request);
    const ordered = await orderedBySingularValue(adapter, () => pace(0, 1));
    const engine = evaluationEngine(device, threads);
    const evaluator = await createEvaluator({ weights: model.weights, adapter: ordered, engine, batch });
    try {
      const ranks = [...rankLadder(adapter.lora.r), 0];
      const measured: BatchLoss[][] = [];
      for (const [index, rank] of ranks.entries()) {
        await evaluator.importState(withZeroMoments(firstDirections(ordered, rank)));
        const done = index * batches.count;
        measured.push(await batchLosses(evaluator, batches, (count) => pace(done + count, ranks.length * batches.count)));
      }
      const tokens = sum(measured[0]!.map(({ labelTokens }) => labelTokens));
      return {
        losses: ranks.map((rank, index) => ({
          rank,
          loss: sum(measured[index]!.map(({ lossSum }) => lossSum)) / tokens,
          ...pairedDifference(measured[0]!, measured[index]!),
        })),
        examples,
        tokens,
        engine: evaluator.description,
      };
    } finally {
      await disposeQuietly(evaluator);
    }
  } finally {
    model.weights.close();
  }
}

interface HeldOut {
  readonly batches: BatchPlan;
  /** Of the largest batch. */
  readonly batch: BatchShape;
  readonly examples: number;
}

async function heldOut(model: LoadedModel, { adapter, data }: RankLossRequest): Promise<HeldOut> {
  if (data !== null) {
    const maxSequenceLength = usualLengthFor(model.weights.config);
    const batch = { batchSize: 4, sequenceLength: maxSequenceLength };
    const options = { path: data, format: 'auto', max_seq_length: maxSequenceLength, train_on_prompt: false } as const;
    const { batches, report } = readEvaluationData(model, { ...options, batchSize: batch.batchSize });
    return { batches, batch, examples: report.training.examples };
  }
  const run = runOfAdapter(adapter);
  const nothing = (why: string) => new UserError('data-invalid', t`${why} Name data to measure it on.`);
  if (!run) throw nothing(t`${adapter} is not in the directory of the run that made it, so it is not known what was held out.`);
  const config = run.readConfig();
  const { dataset } = await readDataset(model, config);
  const { evaluation } = trainingData(dataset, batchOptions(config, model.tokenizer));
  const summary = dataset.report.evaluation;
  if (!evaluation || !summary) throw nothing(t`The run ${run.path} held nothing out.`);
  const longest = Math.max(summary.longestLength, dataset.report.training.longestLength);
  return { batches: evaluation, batch: largestBatch(config, longest), examples: summary.examples };
}

/** The adapter with the k-th row of A and the k-th column of B for the k-th singular value of ΔW. */
async function orderedBySingularValue(adapter: Adapter, pace: Pace): Promise<Adapter> {
  return { ...adapter, ...(await withLowerRank(adapter, adapter.lora.r, pace)) };
}

/** Its best approximation of a lower rank, in matrices of the same shape. */
function firstDirections({ lora, parameters }: Adapter, rank: number): ReadonlyMap<string, HostTensor> {
  const isA = new Set(lora.layers!.flatMap((layer) => lora.targetModules.map((linear) => peftName(layer, linear, 'A'))));
  return new Map(
    [...parameters].map(([name, tensor]) => {
      if (!isA.has(name)) return [name, tensor] as const;
      const data = tensor.data.slice();
      data.fill(0, rank * tensor.shape[1]!);
      return [name, { shape: tensor.shape, data }] as const;
    }),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
