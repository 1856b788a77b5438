import { adaptedLayers, loraParameterCount, type LoraShape } from '../core/adapters/lora.js';
import type { Adapter } from '../core/adapters/peft.js';
import type { TrainingData } from '../core/data/batches.js';
import { loadDataset, trainingData, type Dataset, type DatasetOptions } from '../core/data/dataset.js';
import { teachesMarkers } from '../core/data/fillInTheMiddle.js';
import { bytesInMemory, sizeOf, type DataReport } from '../core/data/report.js';
import { UserError } from '../core/errors.js';
import { checkSequenceLength, type ModelConfig } from '../core/models/config.js';
import type { BaseDType } from '../core/models/matrixForm.js';
import type { WeightStore } from '../core/models/weights.js';
import { initialLoraState, withZeroMoments } from '../core/train/loraInit.js';
import { stepsOfEpochs } from '../core/train/loop.js';
import type { TrainableState } from '../core/train/stepRunner.js';
import { readAdapterFor } from '../files/adapterFolder.js';
import type { Tokenizer } from '../core/tokenizer/tokenizer.js';
import { loadModelForData, type LoadedModel } from '../files/loadModel.js';
import { t } from '../l10n/text.js';
import { modelName } from '../protocol/modelName.js';
import type { RunConfig } from '../protocol/runConfig.js';
import type { WorkspaceManifest } from '../protocol/workspaceManifest.js';
import { createTrainer } from '../runtime/engine.js';
import { killedMessage } from '../runtime/memory/messages.js';
import type { MemoryPlan } from '../runtime/memory/plan.js';
import { publishedName } from './card/modelOrigin.js';
import { curatedData, manifestOf } from './curatedData.js';
import { largestBatch, loraShape } from './derivedSettings.js';
import { fetchRunData } from './fetchRunData.js';
import { preflightWarnings } from './preflight/warnings.js';
import { sampleSource } from './sampleSource.js';
import type { PreparationPorts, PreparedRun } from './trainRun.js';

export interface LoadedRun extends PreparedRun {
  readonly memory: MemoryPlan;
  readonly report: DataReport;
  readonly warnings: readonly string[];
  readonly trainableParameters: number;
}

/**
 * Loads what a run config names: model, data, initial adapter, engine. The product passes this to trainRun as `prepare`.
 * Throws UserError for anything that does not exist, does not fit together or cannot be trained on.
 */
export async function prepareRun(
  config: RunConfig,
  ports: PreparationPorts,
  resumedDType: BaseDType | null = null,
): Promise<LoadedRun> {
  await fetchRunData(config, ports);
  const model = loadModelForData(config.model);
  try {
    return await prepareWith(model, config, ports, resumedDType);
  } catch (error) {
    model.weights.close();
    throw error;
  }
}

/** For preparing a run that nobody is watching. */
export const silentPorts: PreparationPorts = { note: () => undefined, setKilledMessage: () => undefined };

async function prepareWith(
  model: LoadedModel,
  config: RunConfig,
  ports: PreparationPorts,
  resumedDType: BaseDType | null,
): Promise<LoadedRun> {
  const { weights } = model;
  checkSequenceLength(weights.config, config.data.max_seq_length, 'data.max_seq_length');
  const lora = loraShape(config.lora);
  const { dataset, manifest } = await readDataset(model, config, { signal: ports.signal });
  const data = trainingData(dataset, batchOptions(config, model.tokenizer));
  const totalSteps = stepsOf(config, data);
  const warnings = preflightWarnings(config, dataset.report, totalSteps, model.textProblem);
  for (const text of [describeData(dataset.report, modelName(config.model), totalSteps), ...warnings]) ports.note(text);

  const size = sizeOf(dataset.report);
  const { runner, memory } = await createTrainer({
    weights,
    lora,
    dropout: config.lora.dropout,
    initialState: initialState(config, weights, lora),
    engine: config.engine,
    resumedDType,
    batch: largestBatch(config, size.longest),
    dataBytes: bytesInMemory(size),
    note: (text) => ports.note(text),
    onPlan: (plan) => ports.setKilledMessage(killedMessage(plan)),
  });
  return {
    runner,
    data,
    dataFingerprint: fingerprint(dataset, config),
    dataFormat: dataset.report.format,
    manifest,
    teachesMarkers: dataset.report.format === 'code' && teachesMarkers(model.tokenizer, config.data),
    totalSteps,
    baseDType: memory.request.baseDType,
    lora,
    baseModel: publishedName(config.model),
    samples: sampleSource(model, config, lora, dataset),
    memory,
    report: dataset.report,
    warnings,
    trainableParameters: loraParameterCount(weights.config, lora),
    async dispose() {
      try {
        await runner.dispose();
      } finally {
        weights.close();
      }
    },
  };
}

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

/** Epochs end at max_tokens, unless the number of steps is given. */
function stepsOf({ train, data: { max_seq_length } }: RunConfig, data: TrainingData): number {
  const { max_steps, num_epochs, max_tokens, batch_size, gradient_accumulation_steps } = train;
  if (max_steps !== null) return max_steps;
  const steps = stepsOfEpochs(data, num_epochs, gradient_accumulation_steps);
  const tokensPerStep = batch_size * gradient_accumulation_steps * max_seq_length;
  return max_tokens === null ? steps : Math.min(steps, Math.max(1, Math.floor(max_tokens / tokensPerStep)));
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

/** The sequences, and everything that decides how they are divided into steps. */
function fingerprint({ fingerprint: sequences }: Dataset, { data, train }: RunConfig): string {
  const { batch_size, gradient_accumulation_steps } = train;
  return [sequences, batch_size, gradient_accumulation_steps, data.max_seq_length, data.packing, data.shuffle].join(' ');
}

function describeData({ training, evaluation, format, skippedCount }: DataReport, model: string, totalSteps: number): string {
  const heldOut = evaluation ? t`${evaluation.examples} held out` : t`none held out`;
  const rest = skippedCount > 0 ? t`${heldOut}, ${skippedCount} skipped` : heldOut;
  const { examples, tokens, labelTokens } = training;
  const [many, steps] = [
    examples === 1 ? t`${examples} example` : t`${examples} examples`,
    totalSteps === 1 ? t`${totalSteps} step` : t`${totalSteps} steps`,
  ];
  return t`${model}: ${many} of ${format} data (${tokens} tokens, ${labelTokens} to learn), ${rest}; ${steps}.`;
}

function initialState({ lora: config, train }: RunConfig, { config: model }: WeightStore, lora: LoraShape): TrainableState {
  if (config.init_from === null) return initialLoraState(model, lora, train.seed);
  const adapter = readAdapterFor(model, config.init_from);
  checkSameShape(adapter, lora, model, config.init_from);
  return withZeroMoments(adapter.parameters);
}

/** An adapter is trained further as it is: nothing in it is silently dropped, added or rescaled. */
function checkSameShape(adapter: Adapter, lora: LoraShape, model: ModelConfig, folder: string): void {
  const mismatch = (what: string) => new UserError('adapter-mismatch', t`${folder} cannot be trained further here: ${what}.`);
  if (!adapter.isUniform) throw mismatch(t`its linears have different ranks or strengths`);
  const settings = [
    ['lora.r', adapter.lora.r, lora.r],
    ['lora.alpha', adapter.lora.alpha, lora.alpha],
    ['lora.use_rslora', adapter.lora.useRslora, lora.useRslora],
    ['lora.target_modules', adapter.lora.targetModules.join(), lora.targetModules.join()],
    ['lora.layers', adaptedLayers(model, adapter.lora).join(), adaptedLayers(model, lora).join()],
  ] as const;
  for (const [setting, ofAdapter, ofConfig] of settings) {
    if (ofAdapter !== ofConfig)
      throw mismatch(
        t`its ${setting} is ${String(ofAdapter)}, but this run's is ${String(ofConfig)}. Set ${setting} to the adapter's`,
      );
  }
}
