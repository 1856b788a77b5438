import { dirname, resolve } from 'node:path';
import { bytesInMemory } from '../core/data/report.js';
import { UserError } from '../core/errors.js';
import { linearNames, linearShape } from '../core/models/linears.js';
import { parameterCount } from '../core/models/weights.js';
import { remedies } from '../runtime/memory/remedies.js';
import { modelPath } from '../files/cacheFolder.js';
import { openModel, type OpenModel } from '../files/openModel.js';
import { t } from '../l10n/text.js';
import type { ConfigCheck, ConfigText, MemoryRemedy, ModelShape, RunEstimate } from '../protocol/backend.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { usualSequenceLength } from '../protocol/runConfigSchema.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';
import { largestBatch, loraShape } from '../runs/derivedSettings.js';
import { resolvePaths } from '../runs/runConfigFile.js';
import { availableMemoryBytes } from '../runtime/memory/available.js';
import { dtypesToTry, fits, planMemory, type MemoryPlan } from '../runtime/memory/plan.js';
import type { DataSizes } from './dataSizes.js';
import type { TrainingPace } from './trainingPace.js';

/** What this backend has learned so far, and the extension's settings. */
export interface CheckBasis {
  readonly pace: TrainingPace;
  readonly sizes: DataSizes;
  /** Used for configs that leave the device open. */
  readonly device: RunConfig['engine']['device'];
}

export interface CheckedConfig {
  readonly check: ConfigCheck;
  readonly modelShape: ModelShape | null;
}

/** Finds problems in a config while it is being written and estimates its cost; reads only the model's headers. */
export function checkConfig(text: ConfigText, basis: CheckBasis): CheckedConfig {
  const result = validateRunConfig(text.config);
  const named = modelOf(text.config);
  const model = named === undefined ? undefined : openNamed(absoluteModel(text, named));
  const modelShape = named !== undefined && typeof model === 'object' ? shapeOf(model, named) : null;
  if (!result.ok) return { check: result, modelShape };
  if (typeof model !== 'object') {
    const problems = [{ path: ['model'], message: model ?? t`model is missing` }];
    return { check: { ok: false, problems }, modelShape: null };
  }
  const config = resolved(text);
  try {
    return { check: { ok: true, config, estimate: estimate(config, model, basis) }, modelShape };
  } catch (error) {
    if (!(error instanceof UserError) || !error.setting) throw error;
    return { check: { ok: false, problems: [{ path: error.setting, message: error.message }] }, modelShape };
  }
}

/**
 * Fills in defaults and makes paths absolute. Throws UserError that names settings rather than lines, because the text is not the
 * file's and its line numbers mean nothing.
 */
export function resolved({ config, path }: ConfigText): RunConfig {
  const result = validateRunConfig(config);
  if (!result.ok) throw new UserError('config-invalid', result.problems.map(({ message }) => message).join('\n'));
  return resolvePaths(result.config, dirname(resolve(path)));
}

function modelOf(config: unknown): string | undefined {
  const model = typeof config === 'object' && config !== null && 'model' in config ? config.model : undefined;
  return typeof model === 'string' && model !== '' ? model : undefined;
}

/** Resolves the model's path as the whole config would, even while the rest of the config is still invalid. */
function absoluteModel({ path }: ConfigText, model: string): string {
  return resolved({ config: { model, data: { path: '.', max_seq_length: usualSequenceLength } }, path }).model;
}

/** Returns the model, or a sentence explaining why it cannot be opened. */
function openNamed(name: string): OpenModel | string {
  try {
    const model = openModel(modelPath(name));
    model.weights.close();
    return model;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

function shapeOf({ weights }: OpenModel, model: string): ModelShape {
  const { config } = weights;
  return {
    model,
    layerCount: config.layerCount,
    totalParameters: parameterCount(weights),
    linears: Object.fromEntries(linearNames.map((name) => [name, linearShape(config, name)])),
  };
}

/** What a trainer would decide and expect if it started now. Until the data has been read, the maximum length is assumed. */
function estimate(config: RunConfig, { weights }: OpenModel, { pace, sizes, device: usualDevice }: CheckBasis): RunEstimate {
  const { engine, data } = config;
  const device = (engine.device === 'auto' ? usualDevice : engine.device) === 'webgpu' ? 'webgpu' : 'cpu';
  const size = sizes.of(config);
  const plan = planMemory(
    {
      weights,
      lora: loraShape(config.lora),
      dropout: config.lora.dropout,
      batch: largestBatch(config, size?.longest ?? data.max_seq_length),
      dataBytes: size ? bytesInMemory(size) : 0,
      // The run itself finds out whether integers are faster; a base held in them takes no more memory.
      dtypes: dtypesToTry(engine.base_dtype, { kind: device, has16Bit: true, hasFastIntegers: false }),
      checkpointing: engine.gradient_checkpointing,
      streaming: engine.layer_streaming,
      device,
    },
    availableMemoryBytes(),
  );
  return {
    peakMemoryBytes: plan.estimate.hostBytes,
    deviceMemoryBytes: plan.estimate.deviceBytes,
    availableMemoryBytes: plan.availableBytes,
    remedies: fits(plan) ? [] : remediesOf(plan),
    secondsPerStep: pace.secondsPerStep(config),
  };
}

function remediesOf({ request, availableBytes }: MemoryPlan): MemoryRemedy[] {
  const found = remedies(request, (estimate) => fits({ estimate, availableBytes }));
  return found.map(({ changes, estimate }) => ({ changes, peakMemoryBytes: estimate.hostBytes }));
}
