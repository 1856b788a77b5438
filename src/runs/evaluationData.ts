/** @file Data to measure a loss on, all of it, and how the engine is set up to measure. */
import { loadDataset, trainingData, type DatasetConfig } from '../core/data/dataset.js';
import type { BatchPlan } from '../core/data/batches.js';
import type { DataReport } from '../core/data/report.js';
import { diskFiles } from '../files/dataFiles.js';
import type { LoadedModel } from '../files/loadModel.js';
import type { DeviceSetting } from '../runtime/chooseDevice.js';
import type { EngineOptions } from '../runtime/engineOptions.js';

export interface EvaluationDataOptions extends Pick<DatasetConfig, 'path' | 'format' | 'max_seq_length' | 'train_on_prompt'> {
  readonly batchSize: number;
}

/** Reads every example of the data, in file order. Throws UserError for data that cannot be used. */
export function readEvaluationData(
  { weights, tokenizer }: LoadedModel,
  { batchSize, ...data }: EvaluationDataOptions,
): { readonly batches: BatchPlan; readonly report: DataReport } {
  const options = { ...data, eval_path: null, eval_fraction: 0, seed: 0 };
  const { training, report } = loadDataset(options, tokenizer, diskFiles, { vocabSize: weights.config.vocabSize });
  const { evaluation } = trainingData(
    { training: [], evaluation: training },
    {
      batchSize,
      maxSequenceLength: data.max_seq_length,
      packing: false,
      shuffle: false,
      seed: 0,
      padId: tokenizer.padId,
    },
  );
  return { batches: evaluation!, report };
}

/** Measures the model as it is stored, never a rounded one (docs/decisions/0005). */
export function evaluationEngine(device: DeviceSetting, threads: number | null): EngineOptions {
  return {
    device,
    base_dtype: 'fp32',
    threads,
    gradient_checkpointing: 'on',
    layer_streaming: 'auto',
    memory_check: 'warn',
  };
}
