/** @file The weights of a Hugging Face folder: config.json, and safetensors or PyTorch's own files, in one file or in shards. */
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '../core/errors.js';
import type { ByteSource } from '../core/formats/byteSource.js';
import { shownValue } from '../core/formats/shownValue.js';
import type { TensorEntry } from '../core/formats/tensorEntry.js';
import { configFromHuggingFace } from '../core/models/registry.js';
import type { WeightStore } from '../core/models/weights.js';
import { weightTable } from '../core/models/weightTable.js';
import { t } from '../l10n/text.js';
import { openFile } from './fileSource.js';
import { readJsonFile } from './jsonFile.js';
import { floatType, tensorEntries } from './tensorFile.js';
import { FileWeightStore, wholePart, type FileWeight } from './weightStore.js';

/** The files that weights may be in, and the indices that list their shards; the first one that is there counts. */
const weightFileNames = [
  'model.safetensors',
  'model.safetensors.index.json',
  'pytorch_model.bin',
  'pytorch_model.bin.index.json',
] as const;

export function holdsWeights(folder: string): boolean {
  return weightFileNames.some((name) => existsSync(join(folder, name)));
}

/** Whether a file of this name holds weights of a Hugging Face folder. */
export function isWeightFile(name: string): boolean {
  return /\.safetensors$|^pytorch_model.*\.bin$/.test(name);
}

/** Throws UserError naming the file that is missing, damaged or contradicts the config. */
export function openHuggingFaceWeights(folder: string): WeightStore {
  const configPath = join(folder, 'config.json');
  const config = configFromHuggingFace(readJsonFile(configPath), configPath);
  const sources = new Map<string, ByteSource>();
  try {
    const weights = new Map<string, FileWeight>();
    const lessOne = new Set(
      weightTable(config)
        .all.filter((spec) => spec.lessOne)
        .map(({ name }) => name),
    );
    for (const file of weightFiles(folder)) {
      const source = openFile(file);
      sources.set(file, source);
      for (const entry of tensorEntries(source).values()) addWeight(weights, entry, file, lessOne.has(entry.name));
    }
    return new FileWeightStore(config, weights, sources, folder);
  } catch (error) {
    sources.forEach((source) => source.close());
    throw error;
  }
}

export function weightFiles(folder: string): string[] {
  const name = weightFileNames.find((each) => existsSync(join(folder, each)));
  if (name === undefined) throw new UserError('file-not-found', t`${folder} has no model.safetensors.`);
  const path = join(folder, name);
  return name.endsWith('.index.json') ? shardNames(path).map((shard) => join(folder, shard)) : [path];
}

function shardNames(indexPath: string): string[] {
  const map = (readJsonFile(indexPath) as { weight_map?: unknown } | null)?.weight_map;
  if (typeof map !== 'object' || map === null) throw new UserError('file-corrupt', t`${indexPath} has no weight_map.`);
  const names = new Set(Object.values(map));
  for (const name of names) {
    if (!isPlainFileName(name)) {
      throw new UserError(
        'file-corrupt',
        t`${indexPath} names the file ${shownValue(name)}, which is not a file of this folder.`,
      );
    }
  }
  return [...(names as Set<string>)].sort();
}

/** An index may come from anywhere, so it must not point outside its folder. */
function isPlainFileName(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && basename(name) === name && name !== '..' && !name.includes('\\');
}

function addWeight(weights: Map<string, FileWeight>, entry: TensorEntry, file: string, lessOne: boolean): void {
  const { name, shape, offset, byteLength } = entry;
  if (weights.has(name)) {
    throw new UserError('file-corrupt', t`${file} holds the weight ${name}, which another shard holds too.`);
  }
  const storedType = floatType(entry, file);
  const parts = [wholePart(file, offset, shape)];
  weights.set(name, { name, storedType, shape, file, byteLength, permutedRows: false, lessOne, parts });
}
