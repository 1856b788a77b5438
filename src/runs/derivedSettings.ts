/** @file Values derived from the settings of a run. */
import type { LoraShape } from '../core/adapters/lora.js';
import { paddedLength } from '../core/data/batches.js';
import { linearNames } from '../core/models/linears.js';
import type { BatchShape } from '../core/train/programs.js';
import type { LoraConfig, RunConfig, TrainConfig } from '../protocol/runConfig.js';

export function loraShape({ r, alpha, target_modules, layers, use_rslora }: LoraConfig): LoraShape {
  const targetModules = linearNames.filter((linear) => target_modules.includes(linear));
  return { r, alpha, targetModules, layers, useRslora: use_rslora };
}

/** Unless they are packed, rows are no longer than the longest example. */
export function largestBatch({ data, train }: RunConfig, longestExample: number): BatchShape {
  const longest = data.packing ? data.max_seq_length : longestExample;
  return { batchSize: train.batch_size, sequenceLength: paddedLength(longest, data.max_seq_length) };
}

/** Rounds warmup_ratio up, as transformers does (TrainingArguments.get_warmup_steps). */
export function warmupSteps(
  { warmup_steps, warmup_ratio }: Pick<TrainConfig, 'warmup_steps' | 'warmup_ratio'>,
  totalSteps: number,
): number {
  return warmup_steps ?? Math.ceil(totalSteps * warmup_ratio);
}
