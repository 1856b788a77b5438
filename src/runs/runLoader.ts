import { resolve } from 'node:path';
import { loraParameterCount } from '../core/adapters/lora.js';
import type { TrainingData } from '../core/data/batches.js';
import { trainingData, type Dataset } from '../core/data/dataset.js';
import { teachesMarkers } from '../core/data/fillInTheMiddle.js';
import { bytesInMemory, sizeOf, type DataReport } from '../core/data/report.js';
import { checkSequenceLength } from '../core/models/config.js';
import type { BaseDType } from '../core/models/matrixForm.js';
import { stepsOfEpochs } from '../core/train/loop.js';
import { modelPath } from '../files/cacheFolder.js';
import { loadModelForData, type LoadedModel } from '../files/loadModel.js';
import { dataStamp, modelStamp } from '../files/stamps.js';
import { t } from '../l10n/text.js';
import { modelName } from '../protocol/modelName.js';
import type { RunConfig } from '../protocol/runConfig.js';
import type { Disposable } from '../runtime/disposal.js';
import { killedMessage } from '../runtime/memory/messages.js';
import type { MemoryPlan } from '../runtime/memory/plan.js';
import { Trainers } from '../runtime/trainers.js';
import { publishedName } from './card/modelOrigin.js';
import { largestBatch, loraShape } from './derivedSettings.js';
import { fetchRunData } from './fetchRunData.js';
import { initialState } from './initialAdapter.js';
import { preflightWarnings } from './preflight/warnings.js';
import { batchOptions, readDataset, type RunData } from './runData.js';
import { sampleSource } from './sampleSource.js';
import type { PreparationPorts, PreparedRun } from './trainRun.js';

export interface LoadedRun extends PreparedRun {
  readonly memory: MemoryPlan;
  readonly report: DataReport;
  readonly warnings: readonly string[];
  readonly trainableParameters: number;
}

/** A model of a certain state of its files, and the trainers on it. */
interface HeldModel {
  readonly identity: string;
  readonly model: LoadedModel;
  readonly trainers: Trainers;
}

/** Tokenized data, and everything that it was made from. */
interface HeldData extends RunData {
  readonly identity: string;
}

/**
 * Loads one run after the other, each disposed of before the next. What two successive runs have in common stays loaded: the
 * tokenized data if settings, seed, model and files are the same, and the base as it lies on the device if the model and the
 * engine's settings are (docs/decisions/0032). A run is the same, to the byte, as one in a process of its own.
 */
export class RunLoader implements Disposable {
  private model: HeldModel | null = null;
  private data: HeldData | null = null;

  /**
   * Loads what a run config names: model, data, initial adapter, engine. Throws UserError for anything that does not exist, does not
   * fit together or cannot be trained on. When loading fails, or the run on the device, nothing stays on the device.
   */
  readonly prepare = async (
    config: RunConfig,
    ports: PreparationPorts,
    resumedDType: BaseDType | null = null,
  ): Promise<LoadedRun> => {
    await fetchRunData(config, ports);
    const held = await this.modelOf(config);
    const { model, trainers } = held;
    const { weights, tokenizer } = model;
    checkSequenceLength(weights.config, config.data.max_seq_length, 'data.max_seq_length');
    const lora = loraShape(config.lora);
    const { dataset, manifest } = await this.dataOf(config, held, ports.signal);
    const data = trainingData(dataset, batchOptions(config, tokenizer));
    const totalSteps = stepsOf(config, data);
    const warnings = preflightWarnings(config, dataset.report, totalSteps, model.textProblem);
    for (const text of [describeData(dataset.report, modelName(config.model), totalSteps), ...warnings]) ports.note(text);

    const size = sizeOf(dataset.report);
    const { runner, memory } = await trainers.create({
      lora,
      dropout: config.lora.dropout,
      initialState: initialState(config, weights.config, lora),
      engine: config.engine,
      measures: false,
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
      teachesMarkers: dataset.report.format === 'code' && teachesMarkers(tokenizer, config.data),
      totalSteps,
      baseDType: memory.request.baseDType,
      lora,
      baseModel: publishedName(config.model),
      samples: sampleSource(model, config, lora, dataset),
      memory,
      report: dataset.report,
      warnings,
      trainableParameters: loraParameterCount(weights.config, lora),
      dispose: () => runner.dispose(),
    };
  };

  async dispose(): Promise<void> {
    const { model } = this;
    [this.model, this.data] = [null, null];
    try {
      await model?.trainers.dispose();
    } finally {
      model?.model.weights.close();
    }
  }

  private async modelOf({ model: name }: RunConfig): Promise<HeldModel> {
    const path = resolve(modelPath(name));
    const identity = `${path}\n${modelStamp(path)}`;
    if (this.model?.identity === identity) return this.model;
    await this.dispose();
    const model = loadModelForData(name);
    this.model = { identity, model, trainers: new Trainers(model.weights) };
    return this.model;
  }

  private async dataOf(config: RunConfig, { model, identity: ofModel }: HeldModel, signal?: AbortSignal): Promise<RunData> {
    const { data, train } = config;
    const files = [data.path, data.eval_path].map((path) => path && dataStamp(path));
    const identity = JSON.stringify([ofModel, data, train.seed, files]);
    if (this.data?.identity === identity) return this.data;
    this.data = null; // so that it can be collected while the other is read
    this.data = { identity, ...(await readDataset(model, config, { signal })) };
    return this.data;
  }
}

/** Epochs end at max_tokens, unless the number of steps is given. */
function stepsOf({ train, data: { max_seq_length } }: RunConfig, data: TrainingData): number {
  const { max_steps, num_epochs, max_tokens, batch_size, gradient_accumulation_steps } = train;
  if (max_steps !== null) return max_steps;
  const steps = stepsOfEpochs(data, num_epochs, gradient_accumulation_steps);
  const tokensPerStep = batch_size * gradient_accumulation_steps * max_seq_length;
  return max_tokens === null ? steps : Math.min(steps, Math.max(1, Math.floor(max_tokens / tokensPerStep)));
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
