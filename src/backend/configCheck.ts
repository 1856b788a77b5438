import { loraParameters } from '../core/adapters/lora.js';
import { UserError } from '../core/errors.js';
import { linearNames, linearShape } from '../core/llama/weights.js';
import { modelPath } from '../files/cacheFolder.js';
import { openModel, type OpenModel } from '../files/openModel.js';
import type { ConfigCheck, ConfigText, RunEstimate } from '../protocol/backend.js';
import type { RunConfig } from '../protocol/runConfig.js';
import { validateRunConfig } from '../protocol/validateRunConfig.js';
import type { ModelShape } from '../protocol/webview.js';
import { parseRunConfig } from '../runs/runConfigFile.js';
import type { TrainingPace } from './trainingPace.js';

export interface CheckedConfig {
  readonly check: ConfigCheck;
  readonly modelShape: ModelShape | null;
}

/** Defects of a config while it is written, and what it comes to; reads no more of the model than its headers. */
export function checkConfig(text: ConfigText, pace: TrainingPace): CheckedConfig {
  const result = validateRunConfig(text.config);
  const named = modelOf(text.config);
  const model = named === undefined ? undefined : openNamed(absoluteModel(text, named));
  const modelShape = named !== undefined && typeof model === 'object' ? shapeOf(model, named) : null;
  if (!result.ok) return { check: result, modelShape };
  if (typeof model !== 'object') {
    const problems = [{ path: ['model'], message: model ?? 'model is missing' }];
    return { check: { ok: false, problems }, modelShape: null };
  }
  const config = resolved(text);
  return { check: { ok: true, config, estimate: { ...estimate(config, model), secondsPerStep: pace.secondsPerStep(config) }, note: null }, modelShape };
}

/** With defaults and absolute paths; throws UserError naming the defects. */
export function resolved({ config, path }: ConfigText): RunConfig {
  return parseRunConfig(JSON.stringify(config ?? null), path);
}

function modelOf(config: unknown): string | undefined {
  const model = typeof config === 'object' && config !== null && 'model' in config ? config.model : undefined;
  return typeof model === 'string' && model !== '' ? model : undefined;
}

/** The model's path as the whole config would have it, though the rest of it may be wrong still. */
function absoluteModel({ path }: ConfigText, model: string): string {
  return resolved({ config: { model, data: { path: '.' } }, path }).model;
}

/** The model, or in a sentence why there is none. */
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
    totalParameters: countParameters({ weights }),
    linears: Object.fromEntries(linearNames.map((name) => [name, linearShape(config, name)])),
  };
}

function countParameters({ weights }: Pick<OpenModel, 'weights'>): number {
  const sizes = weights.names().map((name) => weights.info(name)!.shape.reduce((product, length) => product * length, 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

const bytesOf = { fp32: 4, fp16: 2, int4: 0.5625, auto: 4 };

/**
 * Memory: the base weights, four fp32 numbers for each trainable one (parameter, gradient, two moments), and the activations
 * that the backward pass needs: about 14 hidden and 3 intermediate vectors a token and layer, and one chunk of logits.
 */
function estimate({ lora, train, data, engine }: RunConfig, { weights }: OpenModel): Omit<RunEstimate, 'secondsPerStep'> {
  const { config } = weights;
  const targetModules = linearNames.filter((name) => lora.target_modules.includes(name));
  const shape = { r: lora.r, alpha: lora.alpha, targetModules, layers: lora.layers, useRslora: lora.use_rslora };
  const trainableParameters = loraParameters(config, shape).reduce((sum, one) => sum + one.shape[0] * one.shape[1], 0);
  const totalParameters = countParameters({ weights });
  const tokens = train.batch_size * data.max_seq_length;
  const perLayer = 14 * config.hiddenSize + 3 * config.intermediateSize;
  const layersKept = engine.gradient_checkpointing === 'on' ? 2 : config.layerCount;
  const activations = 4 * tokens * perLayer * layersKept + 4 * 128 * config.vocabSize * 2;
  const peakMemoryBytes = totalParameters * bytesOf[engine.base_dtype] + 16 * trainableParameters + activations + 150e6;
  return { trainableParameters, totalParameters, peakMemoryBytes };
}

