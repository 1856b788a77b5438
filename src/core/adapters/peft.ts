/** @file Adapters in the format of PEFT (https://github.com/huggingface/peft): adapter_config.json and its tensors. */
import { UserError } from '../errors.js';
import type { LlamaConfig } from '../llama/config.js';
import { linearNames, linearPath, type LinearName } from '../llama/weights.js';
import type { HostTensor } from '../train/stepRunner.js';
import { adaptedLinears, loraParameters, type LoraShape } from './lora.js';

export const adapterConfigFile = 'adapter_config.json';
export const adapterTensorsFile = 'adapter_model.safetensors';

/** A LoRA adapter, wherever it came from. */
export interface Adapter {
  readonly lora: LoraShape;
  /** What it was trained on: a path or a name; null where the file does not tell. */
  readonly baseModel: string | null;
  /** fp32, under PEFT's names: exactly those of loraParameters(config, lora). */
  readonly parameters: ReadonlyMap<string, HostTensor>;
}

/** What adapter_config.json says before the tensors are seen. */
export interface AdapterConfig {
  readonly r: number;
  readonly alpha: number;
  readonly useRslora: boolean;
  readonly baseModel: string | null;
}

/** The content of adapter_config.json as PEFT itself would read it back. */
export function peftConfig(lora: LoraShape, dropout: number, baseModel: string | null): Record<string, unknown> {
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: baseModel,
    r: lora.r,
    lora_alpha: lora.alpha,
    lora_dropout: dropout,
    target_modules: adaptedLinears(lora),
    layers_to_transform: lora.layers,
    use_rslora: lora.useRslora,
    bias: 'none',
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
  };
}

/** Checks adapter_config.json. Throws UserError: 'file-corrupt' where it makes no sense, 'file-unsupported' where we cannot. */
export function parsePeftConfig(json: unknown, file: string): AdapterConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError('file-corrupt', `${file} is damaged: expected a JSON object.`);
  }
  const fields = json as Record<string, unknown>;
  refuseWhatWeLack(fields, file);
  const baseModel = fields['base_model_name_or_path'];
  return {
    r: positive(fields, 'r', file, Number.isInteger),
    alpha: positive(fields, 'lora_alpha', file, Number.isFinite),
    useRslora: fields['use_rslora'] === true,
    baseModel: typeof baseModel === 'string' && baseModel !== '' ? baseModel : null,
  };
}

function refuseWhatWeLack(fields: Record<string, unknown>, file: string): void {
  const refuse = (what: string) => {
    throw new UserError(
      'file-unsupported',
      `${file}: ${what} Only plain LoRA on the seven linears of LLaMA can be used.`,
    );
  };
  const isSet = (key: string) => {
    const value = fields[key];
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return value !== undefined && value !== null && value !== false && !isEmpty;
  };
  if (fields['peft_type'] !== 'LORA') refuse(`peft_type is ${JSON.stringify(fields['peft_type'] ?? null)}.`);
  if ((fields['bias'] ?? 'none') !== 'none')
    refuse(`bias is ${JSON.stringify(fields['bias'])}, so biases were trained.`);
  if (isSet('use_dora')) refuse('use_dora is on: the weights are scaled by a trained magnitude.');
  if (isSet('lora_bias')) refuse('lora_bias is on: the adapter has biases.');
  if (isSet('fan_in_fan_out')) refuse('fan_in_fan_out is on: its weights are transposed.');
  if (isSet('modules_to_save'))
    refuse(`modules_to_save holds whole layers (${JSON.stringify(fields['modules_to_save'])}).`);
  if (isSet('rank_pattern')) refuse('rank_pattern gives layers different ranks.');
  if (isSet('alpha_pattern')) refuse('alpha_pattern gives layers different strengths.');
}

function positive(
  fields: Record<string, unknown>,
  key: string,
  file: string,
  isFit: (value: number) => boolean,
): number {
  const value = fields[key];
  if (typeof value === 'number' && isFit(value) && value > 0) return value;
  throw new UserError(
    'file-corrupt',
    `${file}: ${key} must be a positive number, not ${JSON.stringify(value ?? null)}.`,
  );
}

/**
 * Config and tensors together. Which linears and layers are adapted is read from the tensors' names: target_modules may be a
 * list, a regular expression or "all-linear", and the tensors are what it came to.
 * Throws UserError where a tensor is unknown, missing, misshapen or not finite, or where layers differ in their linears.
 */
export function assembleAdapter(
  config: AdapterConfig,
  tensors: ReadonlyMap<string, HostTensor>,
  file: string,
): Adapter {
  const sites = [...tensors.keys()].map((name) => parseName(name, file));
  if (sites.length === 0) throw new UserError('file-corrupt', `${file} holds no tensor.`);
  const layers = [...new Set(sites.map((site) => site.layer))].sort((a, b) => a - b);
  const targetModules = linearNames.filter((linear) => sites.some((site) => site.linear === linear));
  for (const layer of layers) {
    for (const linear of targetModules) checkPair(config.r, tensors, layer, linear, file);
  }
  const { r, alpha, useRslora, baseModel } = config;
  return { lora: { r, alpha, useRslora, targetModules, layers }, baseModel, parameters: tensors };
}

function parseName(name: string, file: string): { layer: number; linear: LinearName } {
  const match = /^base_model\.model\.model\.layers\.(\d{1,6})\.(?:self_attn|mlp)\.(\w+)\.lora_[AB]\.weight$/.exec(name);
  const layer = Number(match?.[1]);
  const linear = linearNames.find((known) => known === match?.[2]);
  if (linear && (name === tensorName(layer, linear, 'A') || name === tensorName(layer, linear, 'B')))
    return { layer, linear };
  throw new UserError('file-unsupported', `${file}: ${name} is no LoRA tensor of a LLaMA linear.`);
}

function tensorName(layer: number, linear: LinearName, matrix: 'A' | 'B'): string {
  return `base_model.model.${linearPath(layer, linear)}.lora_${matrix}.weight`;
}

function checkPair(
  r: number,
  tensors: ReadonlyMap<string, HostTensor>,
  layer: number,
  linear: LinearName,
  file: string,
): void {
  for (const [matrix, rankAxis] of [
    ['A', 0],
    ['B', 1],
  ] as const) {
    const name = tensorName(layer, linear, matrix);
    const tensor = tensors.get(name);
    if (!tensor)
      throw new UserError('file-unsupported', `${file} has no ${name}, though other layers have an adapted ${linear}.`);
    if (tensor.shape.length !== 2 || tensor.shape[rankAxis] !== r) {
      const message = `${file}: ${name} has shape [${tensor.shape.join(', ')}], which does not fit rank ${r}.`;
      throw new UserError('file-corrupt', message);
    }
    if (!tensor.data.every(Number.isFinite))
      throw new UserError('file-corrupt', `${file}: ${name} holds NaN or infinity.`);
  }
}

/** Throws UserError('adapter-mismatch') where the adapter was made for a model of another shape. */
export function checkAdapterFits(adapter: Adapter, config: LlamaConfig, file: string): void {
  const beyond = adapter.lora.layers?.find((layer) => layer >= config.layerCount);
  const mismatch = (what: string) => {
    const madeFor = adapter.baseModel ? ` It was trained on ${adapter.baseModel}.` : '';
    return new UserError('adapter-mismatch', `${file} does not fit this model: ${what}.${madeFor}`);
  };
  if (beyond !== undefined) throw mismatch(`it adapts layer ${beyond}, but the model has ${config.layerCount} layers`);
  for (const { name, shape } of loraParameters(config, adapter.lora)) {
    const found = adapter.parameters.get(name)?.shape ?? [];
    if (found.join() !== shape.join()) {
      throw mismatch(`${name} is [${found.join(', ')}] where the model needs [${shape.join(', ')}]`);
    }
  }
}
