/** @file The data of a run as its model reads it. */
import { loadDataset, type Dataset, type DatasetOptions } from '../core/data/dataset.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import type { LoadedModel } from '../files/loadModel.js';
import type { RunConfig } from '../protocol/runConfig.js';
import type { WorkspaceManifest } from '../protocol/workspaceManifest.js';
import { curatedData, manifestOf } from './curatedData.js';

export interface ReadingPorts {
  readonly signal?: AbortSignal | undefined;
  /** Called now and then with the share that has been read, for folders of source code. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

const recordsPerReport = 50;

export interface RunData {
  readonly dataset: Dataset;
  /** Null if the training data is no folder of source code. */
  readonly manifest: WorkspaceManifest | null;
}

/** Throws UserError for data that this model cannot be trained on. */
export async function readDataset(
  { tokenizer, weights }: LoadedModel,
  { data, train: { seed } }: RunConfig,
  { signal, onProgress }: ReadingPorts = {},
): Promise<RunData> {
  // Looking into the files takes about as long as encoding them.
  const { files, folder } = await curatedData(data, seed, { signal, onProgress: (share) => onProgress?.(share / 2) });
  const total = folder?.place.files.length ?? 0;
  const onRecord = (records: number) => {
    if (records % recordsPerReport === 0 && records < total) onProgress?.(0.5 + records / total / 2);
  };
  const dataset = loadDataset({ ...data, seed }, tokenizer, files, { vocabSize: weights.config.vocabSize, onRecord });
  return { dataset, manifest: folder && manifestOf(folder, dataset, seed) };
}

export function batchOptions({ data, train }: RunConfig, { padId }: Tokenizer): DatasetOptions {
  return {
    batchSize: train.batch_size,
    maxSequenceLength: data.max_seq_length,
    packing: data.packing,
    shuffle: data.shuffle,
    seed: train.seed,
    padId,
  };
}
