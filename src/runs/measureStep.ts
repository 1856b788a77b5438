import type { RunConfig } from '../protocol/runConfig.js';
import type { StepEstimate } from '../protocol/preflight.js';
import type { PreparedRun } from './trainRun.js';

/**
 * Times one micro-batch, after one that compiles, and puts the runner back as it was: training from here is not touched.
 * Evaluation and saving are not in the estimate.
 */
export async function measureStep({ runner, data, totalSteps }: PreparedRun, config: RunConfig): Promise<StepEstimate> {
  const batches = data.epoch(0);
  const microBatches = Math.min(config.train.gradient_accumulation_steps, batches.count);
  const batch = batches.batch(0);
  const state = await runner.exportState();
  await runner.accumulate(batch, 0);
  const start = performance.now();
  await runner.accumulate(batch, 0);
  const secondsPerStep = ((performance.now() - start) / 1000) * microBatches;
  await runner.importState(state);
  return { secondsPerStep, totalSeconds: secondsPerStep * totalSteps, peakMemoryBytes: peakMemoryBytes() };
}

/** Of this process since it began. */
export function peakMemoryBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
