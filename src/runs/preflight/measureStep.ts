import type { Batch } from '../../core/data/batch.js';
import type { BatchPlan } from '../../core/data/batches.js';
import type { RunConfig } from '../../protocol/runConfig.js';
import type { StepEstimate } from '../../protocol/preflight.js';
import { peakMemoryBytes } from '../../runtime/memory/peak.js';
import type { PreparedRun } from '../trainRun.js';

/**
 * Times a few passes over one micro-batch, after a first one that compiles, and then restores the runner, so that training is
 * unaffected. It uses the largest of the first batches, so that the memory is what the run will need; the time is scaled to their
 * mean size. The total includes the evaluations, but not saving and answering prompts.
 */
export async function measureStep(
  { runner, data, totalSteps }: PreparedRun,
  config: RunConfig,
): Promise<Omit<StepEstimate, 'expectedMemoryBytes' | 'expectedDeviceBytes'>> {
  const batches = data.epoch(0);
  const microBatches = Math.min(config.train.gradient_accumulation_steps, batches.count);
  const { largest, meanSize } = firstBatches(batches);
  const state = await runner.exportState();
  await runner.accumulate(largest, 0);
  const secondsPerPosition = (await secondsOf(() => runner.accumulate(largest, 0))) / size(largest);
  await runner.importState(state);
  const secondsPerStep = secondsPerPosition * meanSize * microBatches;
  const evaluating = evaluations(config.train, totalSteps) * forwardShare * secondsPerPosition * totalSize(data.evaluation);
  return { secondsPerStep, totalSeconds: secondsPerStep * totalSteps + evaluating, peakMemoryBytes: peakMemoryBytes() };
}

/** One pass may take a third more or less than the next. */
const [mostPasses, enoughSeconds] = [3, 5];

/** The mean of several passes, of fewer if they are long. */
async function secondsOf(pass: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  for (let passes = 1; ; passes++) {
    await pass();
    const seconds = (performance.now() - start) / 1000;
    if (passes === mostPasses || seconds >= enoughSeconds) return seconds / passes;
  }
}

/** A forward pass costs about a third of a training step on the same tokens. */
export const forwardShare = 1 / 3;

/** Before the first step, at every eval_steps-th, and after the last. */
export function evaluations({ eval_steps }: RunConfig['train'], totalSteps: number): number {
  return 1 + Math.ceil(totalSteps / eval_steps);
}

function totalSize(plan: BatchPlan | null): number {
  let total = 0;
  for (let index = 0; index < (plan?.count ?? 0); index++) total += size(plan!.batch(index));
  return total;
}

const batchesLookedAt = 500;

function firstBatches(batches: BatchPlan): { largest: Batch; meanSize: number } {
  const count = Math.min(batches.count, batchesLookedAt);
  let largest = batches.batch(0);
  let total = size(largest);
  for (let index = 1; index < count; index++) {
    const batch = batches.batch(index);
    total += size(batch);
    if (size(batch) > size(largest)) largest = batch;
  }
  return { largest, meanSize: total / count };
}

/** Number of tokens computed, including padding. */
function size({ batchSize, sequenceLength }: Batch): number {
  return batchSize * sequenceLength;
}
