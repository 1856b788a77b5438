import type { BatchPlan } from '../core/data/batches.js';
import type { BatchLoss, StepRunner } from '../core/train/stepRunner.js';

/** The loss of each batch, for comparisons batch by batch. To stop between two batches, throw from `afterBatch`. */
export async function batchLosses(
  evaluator: Pick<StepRunner, 'evaluate'>,
  batches: BatchPlan,
  afterBatch: (count: number) => Promise<void>,
): Promise<BatchLoss[]> {
  const measured: BatchLoss[] = [];
  while (measured.length < batches.count) {
    measured.push(await evaluator.evaluate(batches.batch(measured.length)));
    await afterBatch(measured.length);
  }
  return measured;
}
