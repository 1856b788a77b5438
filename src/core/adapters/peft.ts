/** @file Adapters in the PEFT format (https://github.com/huggingface/peft): adapter_config.json and the tensors. */
import { t } from '../../l10n/text.js';
import { UserError } from '../errors.js';
import type { HostTensor } from '../formats/hostTensor.js';
import type { ModelConfig } from '../models/config.js';
import { linearNames, type LinearName } from '../models/linears.js';
import { linearPath } from '../models/weightSpec.js';
import { adaptedLinears, loraParameters, loraScaling, peftName, type LoraShape } from './lora.js';

export const adapterConfigFile = 'adapter_config.json';
export const adapterTensorsFile = 'adapter_model.safetensors';

/** A LoRA adapter with one rank and one scaling, wherever it came from. */
export interface Adapter {
  readonly lora: LoraShape;
  /** Path or name of the model it was trained on; null if the file does not say. */
  readonly baseModel: string | null;
  /** fp32, under the PEFT names that loraParameters(config, lora) lists. */
  readonly parameters: ReadonlyMap<string, HostTensor>;
  /**
   * False if the file's linears have different ranks or scalings, or if some linears are adapted in some layers only. Smaller
   * ranks are then padded with zeros and scalings multiplied into B, which computes the same but is unsuitable for more training.
   */
  readonly isUniform: boolean;
}

/** An adapter of any kind that can be merged into its base. */
export interface MergeableAdapter extends Adapter {
  /**
   * DoRA (https://arxiv.org/abs/2402.09353): by linearPath, the lengths [out] that the rows of the merged weights get. Null for
   * plain LoRA.
   */
  readonly magnitudes: ReadonlyMap<string, HostTensor> | null;
  /**
   * PiSSA as PEFT saves it unless told otherwise (pissa.ts): by linearPath, how many singular directions of the base are to be taken
   * out of it first. Null for any other adapter.
   */
  readonly principalRanks: ReadonlyMap<string, number> | null;
}

/** The contents of adapter_config.json, before the tensors are read. */
interface AdapterConfig {
  readonly r: number;
  readonly alpha: number;
  readonly useRslora: boolean;
  readonly useDora: boolean;
  readonly isPissa: boolean;
  /** Ranks and alphas of individual linears, by the end of the linear's path: `up_proj` or `layers.0.self_attn.k_proj`. */
  readonly rankPattern: ReadonlyMap<string, number>;
  readonly alphaPattern: ReadonlyMap<string, number>;
  readonly baseModel: string | null;
}

/** The contents of adapter_config.json, in the form that PEFT itself reads. */
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

/** Validates adapter_config.json. Throws UserError: 'file-corrupt' if invalid, 'file-unsupported' if it can't be used. */
export function parsePeftConfig(json: unknown, file: string): AdapterConfig {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new UserError('file-corrupt', t`${file} is damaged: expected a JSON object.`);
  }
  const fields = json as Record<string, unknown>;
  checkSupported(fields, file);
  const baseModel = fields['base_model_name_or_path'];
  return {
    r: positive(fields, 'r', file, Number.isInteger),
    alpha: positive(fields, 'lora_alpha', file, Number.isFinite),
    useRslora: fields['use_rslora'] === true,
    useDora: fields['use_dora'] === true,
    isPissa: fields['init_lora_weights'] === 'pissa',
    rankPattern: pattern(fields, 'rank_pattern', file, Number.isInteger),
    alphaPattern: pattern(fields, 'alpha_pattern', file, Number.isFinite),
    baseModel: typeof baseModel === 'string' && baseModel !== '' ? baseModel : null,
  };
}

function checkSupported(fields: Record<string, unknown>, file: string): void {
  const refuse = (what: string) => {
    throw new UserError('file-unsupported', t`${file}: ${what} Only plain LoRA on the seven linears of LLaMA can be used.`);
  };
  const isSet = (key: string) => {
    const value = fields[key];
    const isEmpty = typeof value === 'object' && value !== null && Object.keys(value).length === 0;
    return value !== undefined && value !== null && value !== false && !isEmpty;
  };
  if (fields['peft_type'] !== 'LORA') refuse(t`peft_type is ${JSON.stringify(fields['peft_type'] ?? null)}.`);
  if ((fields['bias'] ?? 'none') !== 'none') refuse(t`bias is ${JSON.stringify(fields['bias'])}, so biases were trained.`);
  if (isSet('lora_bias')) refuse(t`lora_bias is on: the adapter has biases.`);
  if (isSet('fan_in_fan_out')) refuse(t`fan_in_fan_out is on: its weights are transposed.`);
  if (isSet('modules_to_save')) refuse(t`modules_to_save contains whole layers (${JSON.stringify(fields['modules_to_save'])}).`);
  checkInitialization(fields['init_lora_weights'], file);
  if (isSet('layer_replication')) refuse(t`layer_replication is on: the base has repeated layers.`);
}

/** As with "pissa", PEFT takes what A and B start as out of the base's weights. That is undone only for "pissa" itself (pissa.ts). */
const residualInitializations = /^(pissa_niter|olora|corda|loftq|lora_ga)/i;

function checkInitialization(initialization: unknown, file: string): void {
  if (typeof initialization !== 'string' || !residualInitializations.test(initialization)) return;
  throw new UserError(
    'file-unsupported',
    t`${file}: init_lora_weights is ${JSON.stringify(initialization)}, so the adapter fits only a base from which its first matrices were subtracted. Save it with PEFT's path_initial_model_for_weight_conversion, which turns it into plain LoRA.`,
  );
}

function positive(fields: Record<string, unknown>, key: string, file: string, isFit: (value: number) => boolean): number {
  const value = fields[key];
  if (typeof value === 'number' && isFit(value) && value > 0) return value;
  throw new UserError('file-corrupt', t`${file}: ${key} must be a positive number, not ${JSON.stringify(value ?? null)}.`);
}

/**
 * PEFT treats the keys as regular expressions over the linear's path. Only plain names are accepted here: nothing else is used in
 * practice, and running a regex from an untrusted file is a risk.
 */
function pattern(
  fields: Record<string, unknown>,
  key: string,
  file: string,
  isFit: (value: number) => boolean,
): ReadonlyMap<string, number> {
  const entries = Object.entries((fields[key] ?? {}) as Record<string, unknown>);
  const regex = entries.find(([name]) => !/^[\w.]+$/.test(name));
  if (regex) throw new UserError('file-unsupported', t`${file}: ${key} has ${JSON.stringify(regex[0])}, a regular expression.`);
  return new Map(entries.map(([name]) => [name, positive(fields[key] as Record<string, unknown>, name, file, isFit)]));
}

/**
 * Combines config and tensors. The tensors' names tell which linears and layers are adapted: target_modules may be a list, a
 * regular expression or "all-linear", and the tensors are what it resolved to.
 * Throws UserError if a tensor is unknown, lacks its counterpart, has the wrong shape or is not finite.
 */
export function assembleAdapter(config: AdapterConfig, tensors: ReadonlyMap<string, HostTensor>, file: string): MergeableAdapter {
  const { matrices, magnitudes } = config.useDora ? withoutMagnitudes(tensors) : { matrices: tensors, magnitudes: null };
  const pairs = collectPairs(matrices, file).map((pair) => checkedPair(pair, config, file));
  if (pairs.length === 0) throw new UserError('file-corrupt', t`${file} contains no tensors.`);
  const lora: LoraShape = {
    r: Math.max(...pairs.map(({ rank }) => rank)),
    alpha: config.alpha,
    useRslora: config.useRslora,
    targetModules: linearNames.filter((linear) => pairs.some((pair) => pair.linear === linear)),
    layers: [...new Set(pairs.map(({ layer }) => layer))].sort((a, b) => a - b),
  };
  const parameters = new Map<string, HostTensor>();
  for (const layer of lora.layers!) {
    for (const linear of lora.targetModules) {
      const own = pairs.find((pair) => pair.layer === layer && pair.linear === linear);
      // A linear has the same shape in every layer.
      const pair = own ?? zeroPair(pairs.find((other) => other.linear === linear)!);
      parameters.set(peftName(layer, linear, 'A'), withRank(pair.loraA, 0, lora.r, 1));
      parameters.set(peftName(layer, linear, 'B'), withRank(pair.loraB, 1, lora.r, pair.scaling / loraScaling(lora)));
    }
  }
  const isFull = pairs.length === lora.layers!.length * lora.targetModules.length;
  const isUniform = isFull && pairs.every(({ rank, scaling }) => rank === lora.r && scaling === loraScaling(lora));
  if (magnitudes) checkMagnitudes(magnitudes, pairs, file);
  const principalRanks = config.isPissa
    ? new Map(pairs.map(({ layer, linear, rank }) => [linearPath(layer, linear), rank]))
    : null;
  return { lora, baseModel: config.baseModel, parameters, isUniform, magnitudes, principalRanks };
}

/** Throws UserError('file-unsupported') for what only merging can use as it is. `folder` is where the adapter is. */
export function plainAdapter({ magnitudes, principalRanks, ...adapter }: MergeableAdapter, folder: string): Adapter {
  const refused = (message: string) => new UserError('file-unsupported', message);
  if (magnitudes !== null) {
    throw refused(
      t`${folder} is a DoRA adapter (use_dora): it also scales the rows of the weights, which only a merged model can hold. Export it as a merged model, and use that.`,
    );
  }
  if (principalRanks !== null) {
    throw refused(
      t`${folder} is a PiSSA adapter (init_lora_weights) that does not fit the base as it is: first, the base must lose its largest singular directions. Export it in PEFT's format, which makes it plain LoRA, and use that.`,
    );
  }
  return adapter;
}

/** The two matrices of one linear. */
interface Pair {
  readonly layer: number;
  readonly linear: LinearName;
  /** [r, in] */
  readonly loraA: HostTensor;
  /** [out, r] */
  readonly loraB: HostTensor;
}

interface ScaledPair extends Pair {
  readonly rank: number;
  readonly scaling: number;
}

function collectPairs(tensors: ReadonlyMap<string, HostTensor>, file: string): Pair[] {
  return [...tensors].flatMap(([name, tensor]) => {
    const { layer, linear, matrix } = parseName(name, file);
    const other = tensors.get(peftName(layer, linear, matrix === 'A' ? 'B' : 'A'));
    if (!other) throw new UserError('file-corrupt', t`${file}: ${name} is alone; its other matrix is missing.`);
    return matrix === 'A' ? [{ layer, linear, loraA: tensor, loraB: other }] : [];
  });
}

const magnitudeName = /^base_model\.model\.(.+)\.lora_magnitude_vector$/;

/** The two kinds of tensors of a DoRA adapter; magnitudes by linearPath. */
function withoutMagnitudes(tensors: ReadonlyMap<string, HostTensor>) {
  const matrices = new Map<string, HostTensor>();
  const magnitudes = new Map<string, HostTensor>();
  for (const [name, tensor] of tensors) {
    const path = magnitudeName.exec(name)?.[1];
    if (path === undefined) matrices.set(name, tensor);
    else magnitudes.set(path, tensor);
  }
  return { matrices, magnitudes };
}

/** Every adapted linear has one magnitude for each of its rows, and no other has. */
function checkMagnitudes(magnitudes: ReadonlyMap<string, HostTensor>, pairs: readonly Pair[], file: string): void {
  const expected = new Map(pairs.map(({ layer, linear, loraB }) => [linearPath(layer, linear), loraB.shape[0]!]));
  for (const path of new Set([...expected.keys(), ...magnitudes.keys()])) {
    const magnitude = magnitudes.get(path);
    const isSound = magnitude?.shape.join() === String(expected.get(path)) && magnitude.data.every(Number.isFinite);
    if (!isSound) throw new UserError('file-corrupt', t`${file}: the DoRA magnitudes of ${path} are missing or do not fit.`);
  }
}

function parseName(name: string, file: string): { layer: number; linear: LinearName; matrix: 'A' | 'B' } {
  const match = /\.layers\.(\d{1,6})\.\w+\.(\w+)\.lora_([AB])\.weight$/.exec(name);
  const layer = Number(match?.[1]);
  const linear = linearNames.find((known) => known === match?.[2]);
  const matrix = match?.[3] === 'A' ? 'A' : 'B';
  if (linear && name === peftName(layer, linear, matrix)) return { layer, linear, matrix };
  throw new UserError('file-unsupported', t`${file}: ${name} is no LoRA tensor of a LLaMA linear.`);
}

function checkedPair(pair: Pair, config: AdapterConfig, file: string): ScaledPair {
  const path = linearPath(pair.layer, pair.linear);
  const rank = lookUp(config.rankPattern, path) ?? config.r;
  const alpha = lookUp(config.alphaPattern, path) ?? config.alpha;
  const matrices = [
    ['A', pair.loraA, 0],
    ['B', pair.loraB, 1],
  ] as const;
  for (const [matrix, { shape, data }, rankAxis] of matrices) {
    const name = peftName(pair.layer, pair.linear, matrix);
    if (shape.length !== 2 || shape[rankAxis] !== rank) {
      throw new UserError('file-corrupt', t`${file}: ${name} has shape [${shape.join(', ')}], which does not fit rank ${rank}.`);
    }
    if (!data.every(Number.isFinite)) throw new UserError('file-corrupt', t`${file}: ${name} contains NaN or infinity.`);
  }
  return { ...pair, rank, scaling: loraScaling({ r: rank, alpha, useRslora: config.useRslora }) };
}

/** Like PEFT, takes the first key that the path ends with. */
function lookUp(patterns: ReadonlyMap<string, number>, path: string): number | undefined {
  return [...patterns].find(([key]) => path === key || path.endsWith(`.${key}`))?.[1];
}

/** A pair for a linear without an adapter; it adds nothing. */
function zeroPair(pair: ScaledPair): ScaledPair {
  const zero = ({ shape, data }: HostTensor): HostTensor => ({ shape, data: new Float32Array(data.length) });
  return { ...pair, loraA: zero(pair.loraA), loraB: zero(pair.loraB) };
}

/** The matrix, padded with zeros to `rank` on one axis and multiplied by `factor`; the same object if that changes nothing. */
function withRank(tensor: HostTensor, rankAxis: 0 | 1, rank: number, factor: number): HostTensor {
  const [rows, columns] = tensor.shape as [number, number];
  if (tensor.shape[rankAxis] === rank && factor === 1) return tensor;
  const shape = rankAxis === 0 ? [rank, columns] : [rows, rank];
  const data = new Float32Array(shape[0]! * shape[1]!);
  tensor.data.forEach((value, index) => {
    data[Math.floor(index / columns) * shape[1]! + (index % columns)] = value * factor;
  });
  return { shape, data };
}

/** Throws UserError('adapter-mismatch') if the adapter was made for a model of another shape. */
export function checkAdapterFits(adapter: Adapter, config: ModelConfig, file: string): void {
  const beyond = adapter.lora.layers?.find((layer) => layer >= config.layerCount);
  const mismatch = (what: string) => {
    const message = adapter.baseModel
      ? t`${file} does not fit this model: ${what}. It was trained on ${adapter.baseModel}.`
      : t`${file} does not fit this model: ${what}.`;
    return new UserError('adapter-mismatch', message);
  };
  if (beyond !== undefined) throw mismatch(t`it adapts layer ${beyond}, but the model has ${config.layerCount} layers`);
  for (const { name, shape } of loraParameters(config, adapter.lora)) {
    const found = adapter.parameters.get(name)?.shape ?? [];
    if (found.join() !== shape.join()) {
      throw mismatch(t`${name} is [${found.join(', ')}] where the model needs [${shape.join(', ')}]`);
    }
  }
}
