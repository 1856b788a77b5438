/** @file Opens a model: a Hugging Face folder, a GGUF file, or a folder that holds one. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { decodeTensor } from '../core/formats/decodeTensor.js';
import { parseGguf, type GgufFile, type GgufValue } from '../core/formats/gguf.js';
import { parseSafetensors, type SafetensorsEntry } from '../core/formats/safetensors.js';
import { configFromGguf } from '../core/llama/configFromGguf.js';
import { configFromHuggingFace } from '../core/llama/configFromHuggingFace.js';
import { isPermutedInGguf, nameFromGguf } from '../core/llama/weightNames.js';
import type { StoredType, WeightInfo, WeightStore } from '../core/llama/weights.js';
import { openFile } from './fileSource.js';
import { FileWeightStore } from './weightStore.js';

/** Where a model's tokenizer is to be had from. */
export type TokenizerSource =
  | { readonly kind: 'folder'; readonly folder: string }
  | { readonly kind: 'gguf'; readonly file: string; readonly metadata: ReadonlyMap<string, GgufValue> };

export interface OpenModel {
  /** The folder or file itself, absolute. */
  readonly path: string;
  /** For people: the last part of the path. */
  readonly name: string;
  readonly weights: WeightStore;
  readonly tokenizer: TokenizerSource;
}

/** Throws UserError naming the file that is missing, damaged or of a kind that is not supported. */
export function openModel(path: string): OpenModel {
  const absolute = resolve(path);
  if (!existsSync(absolute)) throw new UserError('file-not-found', `There is no model at ${absolute}.`);
  if (statSync(absolute).isFile()) return openModelFile(absolute);
  if (existsSync(join(absolute, 'config.json'))) return openHuggingFaceFolder(absolute);
  const ggufFiles = readdirSync(absolute).filter((name) => name.endsWith('.gguf'));
  if (ggufFiles.length === 1) return openGguf(join(absolute, ggufFiles[0]!));
  const found = ggufFiles.length === 0 ? 'it has neither config.json nor a .gguf file' : `it has ${ggufFiles.length} .gguf files; name one of them`;
  throw new UserError('file-not-found', `${absolute} is not a model folder: ${found}.`);
}

function openModelFile(path: string): OpenModel {
  if (path.endsWith('.gguf')) return openGguf(path);
  if (path.endsWith('.safetensors') && existsSync(join(dirname(path), 'config.json'))) return openHuggingFaceFolder(dirname(path));
  throw new UserError('file-unsupported', `${path} is not a model: expected a Hugging Face folder or a .gguf file.`);
}

function openHuggingFaceFolder(folder: string): OpenModel {
  const configPath = join(folder, 'config.json');
  const config = configFromHuggingFace(readJson(configPath), configPath);
  const sources = new Map<string, ByteSource>();
  try {
    const infos = new Map<string, WeightInfo>();
    for (const file of weightFiles(folder)) {
      const source = openFile(file);
      sources.set(file, source);
      for (const entry of parseSafetensors(source).tensors.values()) addSafetensorsWeight(infos, entry, file);
    }
    const weights = new FileWeightStore(config, infos, sources, folder);
    return { path: folder, name: basename(folder), weights, tokenizer: { kind: 'folder', folder } };
  } catch (error) {
    sources.forEach((source) => source.close());
    throw error;
  }
}

/** model.safetensors, or the shards that model.safetensors.index.json lists. */
function weightFiles(folder: string): string[] {
  const indexPath = join(folder, 'model.safetensors.index.json');
  const single = join(folder, 'model.safetensors');
  if (existsSync(single) || !existsSync(indexPath)) {
    if (existsSync(single)) return [single];
    const advice = existsSync(join(folder, 'pytorch_model.bin')) ? ' It has pytorch_model.bin: save the model as safetensors.' : '';
    throw new UserError('file-not-found', `${folder} has no model.safetensors.${advice}`);
  }
  const map = (readJson(indexPath) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw new UserError('file-corrupt', `${indexPath} has no weight_map.`);
  const names = new Set(Object.values(map));
  for (const name of names) {
    if (typeof name !== 'string' || basename(name) !== name || name === '..' || name.includes('\\')) {
      throw new UserError('file-corrupt', `${indexPath} names the file ${JSON.stringify(name)}, which is not a file of this folder.`);
    }
  }
  return [...(names as Set<string>)].sort().map((name) => join(folder, name));
}

function addSafetensorsWeight(infos: Map<string, WeightInfo>, entry: SafetensorsEntry, file: string): void {
  const { name, type, shape, offset, byteLength } = entry;
  if (infos.has(name)) throw new UserError('file-corrupt', `${file} holds the weight ${name}, which another shard holds too.`);
  if (type !== 'F32' && type !== 'F16' && type !== 'BF16') {
    // Buffers such as rotary frequencies are not weights; a weight of such a type will be found missing.
    return;
  }
  infos.set(name, { name, storedType: type satisfies StoredType, shape, file, offset, byteLength, permutedRows: false });
}

function openGguf(path: string): OpenModel {
  const source = openFile(path);
  try {
    const file = parseGguf(source);
    const infos = new Map<string, WeightInfo>();
    for (const tensor of file.tensors.values()) {
      const name = nameFromGguf(tensor.name);
      if (!name) continue;
      const { type: storedType, shape, offset, byteLength } = tensor;
      infos.set(name, { name, storedType, shape, file: path, offset, byteLength, permutedRows: isPermutedInGguf(name) });
    }
    const config = configFromGguf(file, ropeFactors(file, source), path);
    const weights = new FileWeightStore(config, infos, new Map([[path, source]]), path);
    return { path, name: basename(path), weights, tokenizer: { kind: 'gguf', file: path, metadata: file.metadata } };
  } catch (error) {
    source.close();
    throw error;
  }
}

/** LLaMA 3's frequency divisors, which llama.cpp stores as a tensor. */
function ropeFactors({ tensors }: GgufFile, source: ByteSource): Float32Array | null {
  const tensor = tensors.get('rope_freqs.weight');
  if (!tensor) return null;
  const factors = new Float32Array(tensor.shape.reduce((product, length) => product * length, 1));
  decodeTensor(source, { ...tensor, storedType: tensor.type }, factors);
  return factors;
}

/** No config or index of a model is near this size. */
const largestJson = 64 * 2 ** 20;

function readJson(path: string): unknown {
  if (statSync(path).size > largestJson) throw new UserError('file-corrupt', `${path} has ${statSync(path).size} bytes, too many for its kind.`);
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UserError('file-corrupt', `${path} is not valid JSON: ${(cause as Error).message}`, { cause });
  }
}
