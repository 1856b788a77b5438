import type { TrainConfig } from '../protocol/runConfig.js';

/** As transformers rounds warmup_ratio: up (TrainingArguments.get_warmup_steps). */
export function warmupSteps(
  { warmup_steps, warmup_ratio }: Pick<TrainConfig, 'warmup_steps' | 'warmup_ratio'>,
  totalSteps: number,
): number {
  return warmup_steps ?? Math.ceil(totalSteps * warmup_ratio);
}
